//! What handlers take and give, as the OpenAPI document says it.
//!
//! The document is made from the types of the handlers, so it cannot differ from what they do.

use std::collections::BTreeSet;

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use crate::access::Access;
use crate::body::{Body, Readable};
use crate::problem::{Code, Problem};
use crate::route::{BodySize, Route, SMALL_BODY_BYTES_MAX};
use crate::schema::{Components, Described, ObjectSchema};

/// One operation of the document while it is put together.
#[derive(Debug)]
pub struct Operation<'a> {
    pub components: &'a mut Components,
    pub method: Method,
    pub access: Access,
    pub is_key_required: bool,
    pub body_size: BodySize,
    pub body: Option<Value>,
    pub parameters: Vec<Value>,
    pub codes: BTreeSet<&'static str>,
    /// The answer when all goes well: its status and what it consists of.
    pub answer: (StatusCode, Value),
    /// Whether it may be only tried.
    pub takes_dry_run: bool,
    /// Answers when all goes well that have a status of their own: to a try, to what is known.
    pub other_answers: Vec<(StatusCode, Value)>,
}

impl<'a> Operation<'a> {
    pub fn new(components: &'a mut Components, route: &Route) -> Self {
        Self {
            components,
            method: route.method.clone(),
            access: route.access,
            is_key_required: route.is_key_required,
            body_size: route.body,
            body: None,
            parameters: vec![],
            codes: BTreeSet::new(),
            answer: (StatusCode::OK, json!({ "description": "Done." })),
            takes_dry_run: false,
            other_answers: vec![],
        }
    }

    pub fn refuses(&mut self, codes: &[Code]) {
        self.codes.extend(codes.iter().map(|code| code.word()));
    }

    pub fn takes<T: Readable>(&mut self) {
        let schema = T::schema(self.components);
        let mut body = json!({
            "required": !T::MAY_BE_ABSENT,
            "content": { "application/json": { "schema": schema } },
        });
        match self.body_size {
            BodySize::Small => {
                body["description"] = json!(format!("At most {SMALL_BODY_BYTES_MAX} bytes."));
                body["x-bytes-max"] = json!(SMALL_BODY_BYTES_MAX);
            }
            BodySize::Large | BodySize::File => (),
        }
        self.body = Some(body);
        self.refuses(&[
            Code::MalformedJson,
            Code::Validation,
            Code::BodyTooLarge,
            Code::UnsupportedMediaType,
            Code::RequestTimeout,
        ]);
    }

    pub fn gives<T: Described>(&mut self, status: StatusCode, about: &str) {
        let schema = T::schema(self.components);
        self.answer = (
            status,
            json!({
                "description": about,
                "content": { "application/json": { "schema": schema } },
            }),
        );
    }

    /// Also what it answers when it is only tried.
    pub fn tells_what_would_happen(&mut self) {
        let told = self.components.named("DryRun", |components| {
            ObjectSchema::default()
                .member::<bool>(components, "dry_run", "Always true: nothing was changed.")
                .member::<Option<Value>>(components, "result", "What the answer would be.")
                .member::<Vec<Value>>(components, "events", "What would be recorded.")
                .finish("What a command would do.", false)
        });
        let (status, answer) = &mut self.answer;
        if *status == StatusCode::OK {
            let schema = &mut answer["content"]["application/json"]["schema"];
            *schema = json!({ "anyOf": [schema.take(), told] });
        } else {
            let answer = json!({
                "description": "What would happen, as asked with `dry_run`.",
                "content": { "application/json": { "schema": told } },
            });
            self.other_answers.push((StatusCode::OK, answer));
        }
    }

    /// Also that who knows this version of the answer already is only told so.
    pub fn tells_what_is_unchanged(&mut self, about_version: &str) {
        self.answers_with("ETag", about_version);
        if self.method != Method::GET {
            return;
        }
        let about = "The `ETag` of the answer that is known: the same again is answered with 304.";
        self.header("If-None-Match", false, about, &json!({ "type": "string" }));
        let unchanged = json!({
            "description": "What is known is what would be answered.",
            "headers": { "ETag": self.answer.1["headers"]["ETag"] },
        });
        self.other_answers
            .push((StatusCode::NOT_MODIFIED, unchanged));
    }

    pub fn header(&mut self, name: &str, is_required: bool, about: &str, schema: &Value) {
        self.parameter("header", name, is_required, about, schema);
    }

    pub fn query(&mut self, name: &str, is_required: bool, about: &str, schema: &Value) {
        self.parameter("query", name, is_required, about, schema);
    }

    fn parameter(
        &mut self,
        place: &str,
        name: &str,
        is_required: bool,
        about: &str,
        schema: &Value,
    ) {
        let about = about.trim();
        self.parameters.push(json!({
            "in": place, "name": name, "required": is_required, "description": about, "schema": schema,
        }));
    }

    /// A header of the answer when all goes well.
    pub fn answers_with(&mut self, name: &str, about: &str) {
        self.answer.1["headers"][name] =
            json!({ "description": about, "schema": { "type": "string" } });
    }
}

/// What a handler takes.
pub trait Input {
    fn describe(operation: &mut Operation<'_>);
}

/// What a handler gives.
pub trait Answer {
    fn describe(operation: &mut Operation<'_>);
}

impl<T: Answer> Answer for Result<T, Problem> {
    fn describe(operation: &mut Operation<'_>) {
        T::describe(operation);
    }
}

/// For the few that are not JSON.
impl Answer for HttpResponse {
    fn describe(_: &mut Operation<'_>) {}
}

impl Input for HttpRequest {
    fn describe(_: &mut Operation<'_>) {}
}

impl<T> Input for web::Data<T> {
    fn describe(_: &mut Operation<'_>) {}
}

impl<T: Readable> Input for Body<T> {
    fn describe(operation: &mut Operation<'_>) {
        operation.takes::<T>();
    }
}

macro_rules! inputs {
    ($(($($input:ident),*))+) => {$(
        impl<$($input: Input),*> Input for ($($input,)*) {
            fn describe(operation: &mut Operation<'_>) {
                $($input::describe(operation);)*
                let _ = operation;
            }
        }
    )+};
}

inputs! {
    ()
    (A)
    (A, B)
    (A, B, C)
    (A, B, C, D)
    (A, B, C, D, E)
    (A, B, C, D, E, F)
    (A, B, C, D, E, F, G)
}

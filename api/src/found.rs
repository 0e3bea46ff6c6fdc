//! Answers to questions: one thing, or a list of them.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{ETAG, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::operation::{Answer, Operation};
use crate::problem::Result;
use crate::query::{Cursor, Limit, cursor, query};
use crate::schema::{Components, Described, ObjectSchema};

/// One thing, with the version of its aggregate where it has one.
#[derive(Debug)]
pub struct Found<T> {
    body: T,
    version: Option<u64>,
    /// Whether the version tells all: the same version is then the same answer.
    is_all_told: bool,
}

impl<T> Found<T> {
    pub const fn new(body: T) -> Self {
        Self {
            body,
            version: None,
            is_all_told: false,
        }
    }

    /// Sent as `ETag`, to come back in `If-Match` or `If-None-Match`.
    #[must_use]
    pub const fn with_version(mut self, version: u64) -> Self {
        self.version = Some(version);
        self.is_all_told = true;
        self
    }

    /// Sent as `ETag`, to come back in `If-Match` only: more than the aggregate is shown.
    #[must_use]
    pub const fn with_version_for_changes(mut self, version: u64) -> Self {
        self.version = Some(version);
        self
    }
}

impl<T: Serialize> Responder for Found<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let Some(version) = self.version else {
            return HttpResponse::Ok().json(self.body);
        };
        let tag = etag(version);
        let known = request.headers().get(IF_NONE_MATCH);
        let is_read = request.method().is_safe();
        if is_read
            && self.is_all_told
            && known.is_some_and(|known| known.as_bytes() == tag.as_bytes())
        {
            return HttpResponse::NotModified()
                .insert_header((ETAG, tag))
                .finish();
        }
        HttpResponse::Ok()
            .insert_header((ETAG, tag))
            .json(self.body)
    }
}

impl<T: Described> Answer for Found<T> {
    fn describe(operation: &mut Operation<'_>) {
        operation.gives::<T>(StatusCode::OK, "What was asked for.");
        operation.tells_what_is_unchanged("The version, where there is one: for If-Match.");
    }
}

/// A version as `ETag` shows it.
pub fn etag(version: u64) -> String {
    format!("\"{version}\"")
}

query! {
    /// A part of a list that has no filters.
    pub struct Part {
        /// How many on a page.
        pub limit: Limit,
        /// From the page before.
        pub cursor: Option<Cursor>,
    }
}

/// One page of a list.
#[derive(Debug, Serialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Asks for the page after this one; `None` if this is the last.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// `list` names the list and its filters, as the cursor's reader does.
    pub fn of(
        items: impl IntoIterator<Item = T>,
        next: Option<impl Serialize>,
        list: &str,
    ) -> Self {
        Self {
            items: items.into_iter().collect(),
            next_cursor: next.map(|key| cursor(list, &key)),
        }
    }
}

impl<T> Page<T> {
    /// The part that is asked for of a list that is at hand as a whole, in the order of its keys.
    ///
    /// # Errors
    /// `bad-cursor`
    pub fn within<K>(
        items: impl IntoIterator<Item = T>,
        key: impl Fn(&T) -> K,
        asked: &Part,
        list: &str,
    ) -> Result<Self>
    where
        K: Ord + Serialize + DeserializeOwned,
    {
        let after: Option<K> = asked
            .cursor
            .as_ref()
            .map(|cursor| cursor.key(list))
            .transpose()?;
        let is_beyond = |item: &T| after.as_ref().is_none_or(|after| key(item) > *after);
        let mut items: Vec<T> = items.into_iter().filter(is_beyond).collect();
        items.sort_by_key(&key);
        let limit = usize::from(asked.limit);
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| has_more).map(key);
        Ok(Self::of(items, next, list))
    }
}

impl<T: Serialize> Responder for Page<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok().json(self)
    }
}

impl<T: Described> Described for Page<T> {
    fn schema(components: &mut Components) -> serde_json::Value {
        ObjectSchema::default()
            .member::<Vec<T>>(components, "items", "")
            .member::<Option<String>>(
                components,
                "next_cursor",
                "Asks for the page after this one; null if this is the last.",
            )
            .finish("", false)
    }
}

impl<T: Described> Answer for Page<T> {
    fn describe(operation: &mut Operation<'_>) {
        operation.gives::<Self>(StatusCode::OK, "One page of the list.");
    }
}

/// Done, and there is nothing to tell.
#[derive(Debug, Clone, Copy)]
pub struct NoContent;

impl Responder for NoContent {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::NoContent().finish()
    }
}

impl Answer for NoContent {
    fn describe(operation: &mut Operation<'_>) {
        operation.answer = (
            StatusCode::NO_CONTENT,
            serde_json::json!({ "description": "Done." }),
        );
    }
}

/// It will be done, and there is nothing more to tell.
#[derive(Debug, Clone, Copy)]
pub struct Accepted;

impl Responder for Accepted {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Accepted().finish()
    }
}

impl Answer for Accepted {
    fn describe(operation: &mut Operation<'_>) {
        operation.answer = (
            StatusCode::ACCEPTED,
            serde_json::json!({ "description": "It will be done." }),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Code;
    use crate::query::Parameter;

    fn page(cursor: Option<&str>) -> Page<u32> {
        let asked = Part {
            limit: Limit::read(Some("2")).unwrap(),
            cursor: cursor.map(|text| Cursor::read(Some(text)).unwrap()),
        };
        Page::within([3, 1, 5, 2, 4], |item| *item, &asked, "numbers").unwrap()
    }

    #[test]
    fn a_list_at_hand_is_walked_page_by_page() {
        let first = page(None);
        let second = page(first.next_cursor.as_deref());
        let third = page(second.next_cursor.as_deref());
        assert_eq!(first.items, [1, 2]);
        assert_eq!(second.items, [3, 4]);
        assert_eq!((third.items, third.next_cursor), (vec![5], None));
    }

    #[test]
    fn a_cursor_of_another_list_is_refused() {
        let asked = Part {
            limit: Limit::DEFAULT,
            cursor: Some(Cursor::read(page(None).next_cursor.as_deref()).unwrap()),
        };
        let refused = Page::within([1_u32], |item| *item, &asked, "other numbers");
        assert_eq!(refused.expect_err("bad").code(), Code::BadCursor);
    }
}

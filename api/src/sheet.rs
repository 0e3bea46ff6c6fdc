//! An answer in the form that was asked for: JSON, or CSV for a spreadsheet.

use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, CONTENT_DISPOSITION};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use crate::operation::{Answer, Operation};
use crate::problem::{Code, Problem};
use crate::schema::Described;

/// An answer whose lines make a sheet.
pub(crate) trait Sheets: Serialize + Described {
    /// Ids, codes and numbers only: nothing that a spreadsheet could take for a formula.
    type Line: Serialize;

    const FILE_NAME: &'static str;

    fn lines(&self) -> &[Self::Line];
}

pub(crate) struct Sheet<T> {
    answer: T,
    is_csv: bool,
}

impl<T: Sheets> Sheet<T> {
    /// As its `Accept` says.
    pub(crate) fn asked_for(request: &HttpRequest, answer: T) -> Self {
        let accept = request.headers().get(ACCEPT);
        let accept = accept.and_then(|accept| accept.to_str().ok());
        Self {
            answer,
            is_csv: accept.is_some_and(|accept| accept.contains("text/csv")),
        }
    }
}

impl<T: Sheets> actix_web::Responder for Sheet<T> {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        if !self.is_csv {
            return HttpResponse::Ok().json(self.answer);
        }
        let disposition = format!("attachment; filename=\"{}\"", T::FILE_NAME);
        match csv(self.answer.lines()) {
            Ok(text) => HttpResponse::Ok()
                .content_type("text/csv; charset=utf-8")
                .insert_header((CONTENT_DISPOSITION, disposition))
                .body(text),
            Err(error) => Problem::ours(Code::Internal, &error).response(None),
        }
    }
}

impl<T: Sheets> Answer for Sheet<T> {
    fn describe(operation: &mut Operation<'_>) {
        operation.gives::<T>(StatusCode::OK, "JSON, or CSV if asked.");
    }
}

fn csv(lines: &[impl Serialize]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for line in lines {
        writer.serialize(line)?;
    }
    writer
        .into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))
}

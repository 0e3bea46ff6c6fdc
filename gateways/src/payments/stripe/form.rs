//! Forms as Stripe reads them: nested names in brackets, lists always with an index.

use std::fmt::{Display, Write};

use url::form_urlencoded::byte_serialize;

/// Fields in the order in which they were put.
#[derive(Default)]
pub(super) struct Form(String);

impl Form {
    /// `name` is a name of theirs, with its brackets.
    pub(super) fn put(mut self, name: &str, value: impl Display) -> Self {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.push_str(name);
        self.0.push('=');
        self.0.extend(byte_serialize(value.to_string().as_bytes()));
        self
    }

    /// Left out if there is none: an empty value would clear the field.
    pub(super) fn put_if(self, name: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.put(name, value),
            None => self,
        }
    }

    /// Both of our ids, under `parent`.
    pub(super) fn put_metadata(self, parent: &str, pairs: &[(&str, String)]) -> Self {
        pairs.iter().fold(self, |form, (name, value)| {
            let mut key = parent.to_owned();
            // Writing into a text does not fail.
            let _ = write!(key, "[{name}]");
            form.put(&key, value)
        })
    }

    pub(super) fn into_body(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_what_the_official_client_sends() {
        let form = Form::default()
            .put("amount", 1_999)
            .put("currency", "zar")
            .put("automatic_payment_methods[enabled]", true)
            .put_if("description", None::<&str>)
            .put_metadata("metadata", &[("order_id", "ord 1&2".to_owned())]);
        assert_eq!(
            form.into_body(),
            "amount=1999&currency=zar&automatic_payment_methods[enabled]=true\
             &metadata[order_id]=ord+1%262"
        );
    }
}

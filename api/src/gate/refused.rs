//! One line of the log for each request that was not let in: which, as who, and why. Nothing that
//! was sent is in it, and nothing that tells of a person but ids.

use std::cell::Cell;
use std::time::{Duration, Instant};

use actix_web::dev::Extensions;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, body::BoxBody};
use soko_domain::AccountId;
use uuid::Uuid;

use crate::access::Access;
use crate::problem::Code;
use crate::route::Route;

/// Lines that one thread writes; a flood must not fill the disk.
const LINES_PER_SECOND_MAX: u32 = 200;

/// As who somebody has shown themselves, whether that is good enough or not.
#[derive(Debug, Clone, Copy, Default)]
pub struct ShownAs {
    pub account_id: Option<AccountId>,
    pub session_id: Option<Uuid>,
    pub key_id: Option<Uuid>,
}

/// The lines of one thread.
pub(super) struct RefusalLog {
    second: Cell<Instant>,
    written: Cell<u32>,
    left_out: Cell<u64>,
}

impl Default for RefusalLog {
    fn default() -> Self {
        Self {
            second: Cell::new(Instant::now()),
            written: Cell::new(0),
            left_out: Cell::new(0),
        }
    }
}

impl RefusalLog {
    /// Of whatever was answered, what was refused. What is only wrong is not.
    pub(super) fn note(
        &self,
        response: &HttpResponse<BoxBody>,
        route: Option<&Route>,
        request: &Extensions,
    ) {
        let Some(code) = response.extensions().get::<Code>().copied() else {
            return;
        };
        if is_refusal(code) && self.has_room(Instant::now()) {
            let shown_as = request.get::<ShownAs>().copied().unwrap_or_default();
            write(code, route, shown_as, self.left_out.take());
        }
    }

    fn has_room(&self, now: Instant) -> bool {
        if now.duration_since(self.second.get()) >= Duration::from_secs(1) {
            self.second.set(now);
            self.written.set(0);
        }
        let written = self.written.get();
        if written < LINES_PER_SECOND_MAX {
            self.written.set(written + 1);
            return true;
        }
        self.left_out.set(self.left_out.get() + 1);
        false
    }
}

fn is_refusal(code: Code) -> bool {
    matches!(
        code.status(),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS
    ) || code == Code::BadCursor
}

fn write(code: Code, route: Option<&Route>, shown_as: ShownAs, left_out: u64) {
    let permission = route.and_then(|route| match route.access {
        Access::Public => None,
        Access::Needs(permission, _) => Some(permission),
    });
    tracing::info!(
        code = code.word(),
        route = route.map(|route| route.path.as_str()),
        permission = permission.map(tracing::field::debug),
        account.id = shown_as.account_id.map(tracing::field::display),
        session.id = shown_as.session_id.map(tracing::field::display),
        key.id = shown_as.key_id.map(tracing::field::display),
        left_out = (left_out > 0).then_some(left_out),
        "refused"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_refusals_is_counted_and_not_written() {
        let log = RefusalLog::default();
        let now = log.second.get();
        let written = (0..1_000).filter(|_| log.has_room(now)).count();
        assert_eq!((written, log.left_out.get()), (200, 800));
        assert!(log.has_room(now + Duration::from_secs(1)));
    }

    #[test]
    fn who_is_not_let_in_is_refused_and_who_errs_is_not() {
        for code in [
            Code::Unauthenticated,
            Code::TokenExpired,
            Code::Forbidden,
            Code::RateLimited,
            Code::BadCursor,
        ] {
            assert!(is_refusal(code), "{}", code.word());
        }
        for code in [
            Code::NotFound,
            Code::Validation,
            Code::OutOfStock,
            Code::Internal,
        ] {
            assert!(!is_refusal(code), "{}", code.word());
        }
    }
}

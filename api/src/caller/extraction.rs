//! Finds out who is asking, before any handler is.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use chrono::{DateTime, Utc};
use futures::future::{Either, LocalBoxFuture};

use super::{Caller, Login};
use crate::access::Access;
use crate::access_log::{Looks, is_look};
use crate::api_keys::is_api_key;
use crate::app::App;
use crate::command::malformed;
use crate::gate::{Client, ShownAs};
use crate::operation::{Input, Operation};
use crate::problem::{Code, Problem, Result};
use crate::route::Route;
use crate::secret::Secret;
use crate::tokens::Bearer;

/// A guest's token opens what it was given for, so it must not be guessable.
const GUEST_TOKEN_CHARACTERS: std::ops::RangeInclusive<usize> = 22..=128;

impl FromRequest for Caller {
    type Error = Problem;
    /// Of a key the database is asked; what an access token says is known at once.
    type Future = Either<Ready<Result<Self>>, LocalBoxFuture<'static, Result<Self>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        match token_of(request) {
            Ok(Some(token)) if is_api_key(token) => {
                let (request, token) = (request.clone(), Secret::from(token.to_owned()));
                Either::Right(Box::pin(async move { with_key(&request, &token).await }))
            }
            Ok(token) => Either::Left(ready(with_access_token(request, token))),
            Err(problem) => Either::Left(ready(Err(problem))),
        }
    }
}

impl Input for Caller {
    fn describe(operation: &mut Operation<'_>) {
        operation.refuses(&[
            Code::MalformedHeader,
            Code::Unauthenticated,
            Code::TokenExpired,
        ]);
        if let Access::Needs(..) = operation.access {
            operation.refuses(&[Code::Forbidden, Code::StepUpRequired, Code::NotFound]);
        }
    }
}

/// Where everybody may come in, a token that has expired is no reason to turn somebody away: many
/// clients send what they have with every request, the one for the next token included.
fn token_of(request: &HttpRequest) -> Result<Option<&str>> {
    match access_of(request) {
        Access::Public => Ok(None),
        Access::Needs(..) => bearer_token(request.headers()),
    }
}

async fn with_key(request: &HttpRequest, token: &Secret) -> Result<Caller> {
    let now = Utc::now();
    let app = app_of(request)?;
    let grant = app.api_keys().verify(token.expose(), now).await?;
    request.extensions_mut().insert(ShownAs {
        account_id: Some(grant.account_id()),
        session_id: None,
        key_id: Some(grant.key_id()),
    });
    let caller = caller(request, app, Some(Login::ApiKey(grant.clone())), now)?;
    match caller.permission {
        Some(permission) if caller.needs_step_up || !grant.allows(permission) => {
            Err(not_for_keys())
        }
        _ => Ok(caller),
    }
}

fn with_access_token(request: &HttpRequest, token: Option<&str>) -> Result<Caller> {
    let now = Utc::now();
    let app = app_of(request)?;
    let bearer = token
        .map(|token| verified(&app, request, token, now))
        .transpose()?;
    caller(request, app, bearer.map(Login::Session), now)
}

fn caller(
    request: &HttpRequest,
    app: Data<App>,
    login: Option<Login>,
    now: DateTime<Utc>,
) -> Result<Caller> {
    let access = access_of(request);
    if login.is_none() && !access.is_open_to_guests() {
        return Err(Problem::new(Code::Unauthenticated));
    }
    if let (Some(limits), Some(login)) = (app.rate_limits(), &login) {
        let budget = limits.spend_of_caller(login.account_id(), login.api_key());
        let wait = budget.wait();
        request.extensions_mut().insert(budget);
        if let Some(wait) = wait {
            return Err(Problem::new(Code::RateLimited).with_retry_after(wait));
        }
    }
    let looks = is_look(request).then(Looks::default);
    if let Some(looks) = &looks {
        request.extensions_mut().insert(looks.clone());
    }
    let headers = request.headers();
    let extensions = request.extensions();
    Ok(Caller {
        permission: match access {
            Access::Public => None,
            Access::Needs(permission, _) => Some(permission),
        },
        needs_step_up: Route::of(request).is_some_and(|route| route.needs_step_up),
        login,
        cart_token: guest_token(headers, "x-cart-token", "X-Cart-Token")?,
        order_token: guest_token(headers, "x-order-token", "X-Order-Token")?,
        client: extensions.get::<Client>().copied().ok_or_else(defect)?,
        now,
        looks,
        app,
    })
}

fn access_of(request: &HttpRequest) -> Access {
    Route::of(request).map_or(Access::Public, |route| route.access)
}

fn app_of(request: &HttpRequest) -> Result<Data<App>> {
    request.app_data::<Data<App>>().cloned().ok_or_else(defect)
}

fn defect() -> Problem {
    Problem::new(Code::Internal).with_detail("the server is not wired up")
}

pub(super) fn not_for_keys() -> Problem {
    Problem::new(Code::Forbidden).with_detail("the API key is not for this")
}

fn verified(app: &App, request: &HttpRequest, token: &str, now: DateTime<Utc>) -> Result<Bearer> {
    let bearer = app.tokens().verify(token, now)?;
    request.extensions_mut().insert(ShownAs {
        account_id: Some(bearer.account_id),
        session_id: Some(bearer.session_id),
        key_id: None,
    });
    if app.sessions().has_ended(bearer.session_id) {
        return Err(Problem::new(Code::Unauthenticated));
    }
    Ok(bearer)
}

fn bearer_token(headers: &HeaderMap) -> Result<Option<&str>> {
    let mut values = headers.get_all(AUTHORIZATION);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let refused = || Problem::new(Code::Unauthenticated);
    if values.next().is_some() {
        return Err(refused());
    }
    let (scheme, token) = value
        .to_str()
        .ok()
        .and_then(|v| v.split_once(' '))
        .ok_or_else(refused)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(Some(token))
    } else {
        Err(refused())
    }
}

fn guest_token(headers: &HeaderMap, name: &str, shown: &'static str) -> Result<Option<String>> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    match value.to_str() {
        Ok(token)
            if GUEST_TOKEN_CHARACTERS.contains(&token.len()) && token.bytes().all(is_allowed) =>
        {
            Ok(Some(token.to_owned()))
        }
        _ => Err(malformed(shown, "must be a token that we gave")),
    }
}

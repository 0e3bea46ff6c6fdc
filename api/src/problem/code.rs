//! The closed list of what can go wrong, each with one status and one title.

use actix_web::http::StatusCode;

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident = $word:literal $status:ident $title:literal;)+) => {
        /// What went wrong, in one word for machines.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[$doc])* $code,)+
        }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$code),+];

            pub const fn word(self) -> &'static str {
                match self { $(Self::$code => $word),+ }
            }

            pub const fn status(self) -> StatusCode {
                match self { $(Self::$code => StatusCode::$status),+ }
            }

            pub const fn title(self) -> &'static str {
                match self { $(Self::$code => $title),+ }
            }
        }
    };
}

codes! {
    MalformedJson = "malformed-json" BAD_REQUEST "The body is not JSON";
    MalformedHeader = "malformed-header" BAD_REQUEST "A header cannot be understood";
    MalformedRequest = "malformed-request" BAD_REQUEST "The request cannot be understood";
    MissingIdempotencyKey = "missing-idempotency-key" BAD_REQUEST "This request needs an Idempotency-Key";
    BadCursor = "bad-cursor" BAD_REQUEST "The cursor is not one that this list gave";
    Unauthenticated = "unauthenticated" UNAUTHORIZED "Who is asking is not known";
    BadSignature = "bad-signature" UNAUTHORIZED "Nothing proves who sent this";
    SecondFactorRequired = "second-factor-required" UNAUTHORIZED "A code of the second factor is needed, too";
    TokenExpired = "token-expired" UNAUTHORIZED "The access token has expired";
    Forbidden = "forbidden" FORBIDDEN "Not allowed";
    StepUpRequired = "step-up-required" FORBIDDEN "The second factor has to be shown first";
    /// Also for what exists outside the caller's scope.
    NotFound = "not-found" NOT_FOUND "There is no such thing";
    MethodNotAllowed = "method-not-allowed" METHOD_NOT_ALLOWED "The resource does not have this method";
    RequestTimeout = "request-timeout" REQUEST_TIMEOUT "The request did not arrive in time";
    VersionConflict = "version-conflict" CONFLICT "Too many changed this at once; try again";
    StateConflict = "state-conflict" CONFLICT "This cannot be done in the present state";
    AlreadyExists = "already-exists" CONFLICT "This exists already";
    OutOfStock = "out-of-stock" CONFLICT "There is not enough in stock";
    CouponExhausted = "coupon-exhausted" CONFLICT "The coupon has been used up";
    OperationInProgress = "operation-in-progress" CONFLICT "A request with this key is still running";
    PreconditionFailed = "precondition-failed" PRECONDITION_FAILED "This has changed since it was read";
    BodyTooLarge = "body-too-large" PAYLOAD_TOO_LARGE "The body is too large";
    UnsupportedMediaType = "unsupported-media-type" UNSUPPORTED_MEDIA_TYPE "The body is of a type that is not read here";
    Validation = "validation" UNPROCESSABLE_ENTITY "Some of the request is not valid";
    IdempotencyMismatch = "idempotency-mismatch" UNPROCESSABLE_ENTITY "This Idempotency-Key was used for another request";
    RateLimited = "rate-limited" TOO_MANY_REQUESTS "Too many requests";
    /// Always a defect of ours.
    Internal = "internal" INTERNAL_SERVER_ERROR "Something went wrong on our side";
    ProjectionBehind = "projection-behind" SERVICE_UNAVAILABLE "This view has not yet caught up";
    Unavailable = "unavailable" SERVICE_UNAVAILABLE "The service cannot answer right now";
}

impl Code {
    /// The identifier of the kind of problem.
    pub fn uri(self) -> String {
        format!("urn:soko:problem:{}", self.word())
    }

    /// What `WWW-Authenticate` says with it.
    pub const fn challenge(self) -> Option<&'static str> {
        match self {
            Self::Unauthenticated | Self::SecondFactorRequired => Some("Bearer realm=\"soko\""),
            Self::TokenExpired => Some(
                "Bearer realm=\"soko\", error=\"invalid_token\", \
                 error_description=\"the access token has expired\"",
            ),
            _ => None,
        }
    }

    /// The nearest code for an answer that the framework made by itself.
    pub fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::REQUEST_TIMEOUT => Self::RequestTimeout,
            StatusCode::PAYLOAD_TOO_LARGE => Self::BodyTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType,
            StatusCode::SERVICE_UNAVAILABLE => Self::Unavailable,
            status if status.is_client_error() => Self::MalformedRequest,
            _ => Self::Internal,
        }
    }
}

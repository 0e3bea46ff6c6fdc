//! Tokens: they end after an hour, and for some merchants when another is asked for.

use std::collections::HashMap;
use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::refusal;
use crate::sandbox::form::Form;
use crate::sandbox::wire::{Reply, Request};
use crate::sandbox::world::{World, held};

const LIFE: TimeDelta = TimeDelta::seconds(3599);

#[derive(Debug, Default)]
pub(super) struct Tokens(Mutex<HashMap<String, Token>>);

#[derive(Debug)]
struct Token {
    consumer_key: String,
    expires_at: DateTime<Utc>,
}

impl Tokens {
    pub(super) fn generate(&self, world: &World, request: &Request<'_>) -> Result<Reply, Reply> {
        if request.method != actix_web::http::Method::GET {
            return Err(refusal(world, 405, "405.001", "Method Not Allowed"));
        }
        if Form::parse(request.query).text("grant_type") != "client_credentials" {
            return Err(refusal(
                world,
                400,
                "400.008.02",
                "Invalid grant type passed",
            ));
        }
        let Some(credentials) = request.header("authorization").strip_prefix("Basic ") else {
            return Err(refusal(
                world,
                400,
                "400.008.01",
                "Invalid Authentication passed",
            ));
        };
        let decoded = STANDARD.decode(credentials.trim()).unwrap_or_default();
        let decoded = String::from_utf8_lossy(&decoded);
        let merchants = world.merchants();
        let merchant = decoded.split_once(':').and_then(|(key, secret)| {
            merchants
                .mpesa
                .iter()
                .find(|merchant| merchant.consumer_key == key && merchant.consumer_secret == secret)
        });
        let Some(merchant) = merchant else {
            return Err(Reply::empty(400));
        };
        let token = world.dice.id(28);
        let mut tokens = held(&self.0);
        tokens.retain(|_, old| {
            old.expires_at > request.now
                && !(merchant.new_token_ends_old && old.consumer_key == merchant.consumer_key)
        });
        let consumer_key = merchant.consumer_key.clone();
        let expires_at = request.now + LIFE;
        tokens.insert(
            token.clone(),
            Token {
                consumer_key,
                expires_at,
            },
        );
        Ok(Reply::json(
            200,
            json!({ "access_token": token, "expires_in": "3599" }),
        ))
    }

    pub(super) fn accepts(&self, request: &Request<'_>) -> bool {
        let Some(token) = request.bearer() else {
            return false;
        };
        held(&self.0)
            .get(token)
            .is_some_and(|token| token.expires_at > request.now)
    }
}

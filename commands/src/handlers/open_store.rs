//! A tenant opens a store.

use super::claims::Name;
use crate::{CommandContext, CommandError, Committed, Engine, Lanes};
use serde::{Deserialize, Serialize};
use soko_domain::store::{StoreCommand, StoreError, Terms};
use soko_domain::tenant::TenantError;
use soko_domain::{LocationId, Store, StoreId, Tenant, WebOrigin};
use std::collections::BTreeSet;

#[derive(Debug, Clone)]
pub struct OpenStore {
    pub store_id: StoreId,
    pub terms: Box<Terms>,
    /// Where the pages of its web shops come from; none is as good as any.
    pub web_origins: BTreeSet<WebOrigin>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenStoreError {
    #[error(transparent)]
    Tenant(#[from] TenantError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Answers with the store and its main location, which are others than those of the request if the
/// request was made before with the same idempotency key.
///
/// Whether the caller may act for the tenant is the caller's to find out.
///
/// # Errors
/// [`OpenStoreError`], and [`CommandError::ClaimTaken`] for a slug that another store has.
pub async fn open_store(
    engine: &Engine,
    request: OpenStore,
    context: &CommandContext,
) -> Result<Committed<(StoreId, LocationId)>, CommandError<OpenStoreError>> {
    let OpenStore {
        store_id,
        terms,
        web_origins,
    } = request;
    let lanes = Lanes::new()
        .with_new::<Store>(store_id)
        .with::<Tenant>(terms.tenant_id);
    engine
        .transact(context, lanes, |unit| {
            unit.state::<Tenant>(terms.tenant_id).business()?;
            if terms.tenant_id != context.tenant_id {
                return Err(TenantError::NotCreated.into());
            }
            unit.execute::<Store>(store_id, StoreCommand::Open(terms.clone()))?;
            let web_origins = web_origins.clone();
            unit.execute::<Store>(store_id, StoreCommand::ChangeWebOrigins { web_origins })?;
            unit.claim(Name::store_slug(&terms.slug).claimed_by(store_id));
            Ok((store_id, terms.main_location))
        })
        .await
}

//! A store arranges what it sells: categories within categories.

use super::claims::Name;
use super::shelf;
use crate::{CommandContext, CommandError, Committed, Engine, Lanes, UnitOfWork};
use serde::{Deserialize, Serialize};
use soko_domain::category::{CategoryCommand, CategoryError, Parent, Section};
use soko_domain::store::StoreError;
use soko_domain::{Category, CategoryId, Slug, Store, StoreId, Text};

#[derive(Debug, Clone)]
pub struct CreateCategory {
    pub category_id: CategoryId,
    pub store_id: StoreId,
    pub slug: Slug,
    pub name: Text<120>,
    pub parent: Option<CategoryId>,
}

/// What is to be changed of a category; what is `None` stays.
#[derive(Debug, Clone)]
pub struct ChangeCategory {
    pub category_id: CategoryId,
    pub name: Option<Text<120>>,
    /// `Some(None)` takes it to the top.
    pub parent: Option<Option<CategoryId>>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArrangeCategoriesError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Category(#[from] CategoryError),
}

/// # Errors
/// [`ArrangeCategoriesError`], and [`CommandError::ClaimTaken`] for a slug that another category of
/// the store has.
pub async fn create_category(
    engine: &Engine,
    request: CreateCategory,
    context: &CommandContext,
) -> Result<Committed<CategoryId>, CommandError<ArrangeCategoriesError>> {
    let CreateCategory {
        category_id,
        store_id,
        ..
    } = request;
    let lanes = Lanes::new()
        .with_new::<Category>(category_id)
        .with::<Store>(store_id)
        .with_all::<Category>(request.parent);
    engine
        .transact(context, lanes, |unit| {
            shelf::open_store(unit, store_id, context.tenant_id)?;
            let parent = request.parent.map(|id| parent(unit, id)).transpose()?;
            let create = CategoryCommand::Create {
                category_id,
                store_id,
                slug: request.slug.clone(),
                name: request.name.clone(),
                parent,
            };
            unit.execute::<Category>(category_id, create)?;
            unit.claim(Name::category_slug(store_id, &request.slug).claimed_by(category_id));
            Ok(category_id)
        })
        .await
}

/// # Errors
/// [`ArrangeCategoriesError`], and every other [`CommandError`].
pub async fn change_category(
    engine: &Engine,
    request: ChangeCategory,
    context: &CommandContext,
) -> Result<Committed<()>, CommandError<ArrangeCategoriesError>> {
    let category_id = request.category_id;
    let lanes = Lanes::new()
        .with::<Category>(category_id)
        .with_all::<Category>(request.parent.flatten());
    engine
        .transact(context, lanes, |unit| {
            if let Some(name) = request.name.clone() {
                unit.execute::<Category>(category_id, CategoryCommand::Rename { name })?;
            }
            if let Some(wanted) = request.parent {
                let parent = wanted.map(|id| parent(unit, id)).transpose()?;
                unit.execute::<Category>(category_id, CategoryCommand::Move { parent })?;
            }
            Ok(())
        })
        .await
}

/// Gives its slug back.
///
/// # Errors
/// [`ArrangeCategoriesError`], and every other [`CommandError`].
pub async fn remove_category(
    engine: &Engine,
    category_id: CategoryId,
    context: &CommandContext,
) -> Result<Committed<()>, CommandError<ArrangeCategoriesError>> {
    engine
        .transact(
            context,
            Lanes::new().with::<Category>(category_id),
            |unit| {
                let name = unit
                    .state::<Category>(category_id)
                    .section()
                    .map(|section| Name::category_slug(section.store_id(), section.slug()));
                unit.execute::<Category>(category_id, CategoryCommand::Remove)?;
                if let Ok(name) = name {
                    unit.release(name.given_back());
                }
                Ok(())
            },
        )
        .await
}

/// The category together with all that it lies in, nearest first.
fn parent(unit: &UnitOfWork<'_>, category_id: CategoryId) -> Result<Parent, CategoryError> {
    let section = unit.state::<Category>(category_id).section()?;
    let mut ancestors = vec![];
    let mut above = section.parent();
    // Nothing lies deeper, and a ring cannot come about: each move was checked alike.
    while let Some(id) = above.filter(|_| ancestors.len() < Category::DEPTH_MAX) {
        ancestors.push(id);
        above = unit
            .state::<Category>(id)
            .section()
            .ok()
            .and_then(Section::parent);
    }
    Ok(section.as_parent(ancestors))
}

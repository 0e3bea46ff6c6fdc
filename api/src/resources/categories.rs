//! How a store's goods are arranged.

use actix_web::web::Data;
use soko_commands::handlers::{self, ArrangeCategoriesError, CreateCategory, create_category};
use soko_domain::category::{Category, CategoryError};
use soko_domain::{CategoryId, Slug, StoreId, Text};
use soko_projections::read_models::{self, categories::Categories};
use uuid::Uuid;

use crate::app::App;
use crate::caller::{Caller, Place};
use crate::change::Change;
use crate::command::{Command, NoBody};
use crate::found::{Found, Page, Part};
use crate::fresh::MinPosition;
use crate::problem::{Code, Problem, Result};
use crate::query::{Cursor, Limit, Path, Query, query};
use crate::recorded::{New, Recorded};
use crate::schema::{answer, body};

body! {
    pub(crate) struct NewCategory {
        pub store_id: StoreId,
        pub name: Text<120>,
        /// Made of the name if it is left out.
        pub slug: Option<Slug>,
        /// The category that it lies in.
        pub parent_id: Option<CategoryId>,
    }

    pub(crate) struct ChangeCategory {
        pub name: Option<Text<120>>,
        /// `null` takes it to the top.
        #[serde(default)]
        pub parent_id: Change<CategoryId>,
    }
}

answer! {
    pub(crate) struct CategoryCreated {
        pub category_id: CategoryId,
    }

    pub(crate) struct CategoryDetails {
        pub category_id: CategoryId,
        pub store_id: StoreId,
        pub slug: String,
        pub name: String,
        pub parent_id: Option<CategoryId>,
    }
}

pub(crate) async fn create(
    app: Data<App>,
    caller: Caller,
    command: Command<NewCategory>,
) -> Result<New<CategoryCreated>> {
    let NewCategory { store_id, .. } = command.body;
    let context = caller
        .permit(Place::store(store_id))
        .await?
        .context(&command);
    let NewCategory {
        name,
        slug,
        parent_id,
        ..
    } = command.body;
    let slug = slug.or_else(|| Slug::of_name(name.as_str()));
    let slug = slug.ok_or_else(|| Problem::invalid_at("/slug", "cannot be made of this name"))?;
    let category_id = CategoryId::from_uuid(Uuid::now_v7());
    let request = CreateCategory {
        category_id,
        store_id,
        slug,
        name,
        parent: parent_id,
    };
    let created = create_category(app.engine(), request, &context).await;
    let recorded: New<_> = app
        .recorded_of::<Category, _, _, _>(category_id, created, &context)
        .await?;
    Ok(recorded
        .map(|category_id| CategoryCreated { category_id })
        .at(|created| format!("/categories/{}", created.category_id)))
}

query! {
    pub(crate) struct ListCategories {
        store: StoreId,
        /// How many on a page; all of them if there is neither this nor a cursor.
        limit: Option<Limit>,
        /// From the page before.
        cursor: Option<Cursor>,
    }
}

/// All of a store's, by name: clients make a tree of them.
pub(crate) async fn list(
    app: Data<App>,
    query: Query<ListCategories>,
    fresh: MinPosition,
) -> Result<Page<CategoryDetails>> {
    fresh.reached_by::<Categories>(app.freshness()).await?;
    let categories = read_models::categories::categories(app.reader(), query.store).await?;
    let items = categories.into_iter().map(|category| CategoryDetails {
        category_id: category.category_id,
        store_id: category.store_id,
        slug: category.slug,
        name: category.name,
        parent_id: category.parent_id,
    });
    if query.limit.is_none() && query.cursor.is_none() {
        return Ok(Page {
            items: items.collect(),
            next_cursor: None,
        });
    }
    let asked = Part {
        limit: query.limit.unwrap_or(Limit::DEFAULT),
        cursor: query.cursor.clone(),
    };
    let by_name = |category: &CategoryDetails| (category.name.clone(), category.category_id);
    Page::within(
        items,
        by_name,
        &asked,
        &format!("categories {:?}", query.store),
    )
}

pub(crate) async fn get(
    app: Data<App>,
    category_id: Path<CategoryId>,
) -> Result<Found<CategoryDetails>> {
    let category = app.engine().read::<Category>(*category_id).await?;
    let section = category.state.section()?;
    let details = CategoryDetails {
        category_id: *category_id,
        store_id: section.store_id(),
        slug: section.slug().to_string(),
        name: section.name().to_string(),
        parent_id: section.parent(),
    };
    Ok(Found::new(details).with_version(category.version))
}

pub(crate) async fn change(
    app: Data<App>,
    caller: Caller,
    category_id: Path<CategoryId>,
    command: Command<ChangeCategory>,
) -> Result<Recorded<()>> {
    let place = place(&app, *category_id).await?;
    let context = caller.permit(place).await?.context(&command);
    let ChangeCategory { name, parent_id } = command.body;
    let request = handlers::ChangeCategory {
        category_id: *category_id,
        name,
        parent: parent_id.into_option(),
    };
    let changed = handlers::change_category(app.engine(), request, &context).await;
    app.recorded_of::<Category, _, _, _>(*category_id, changed, &context)
        .await
}

pub(crate) async fn remove(
    app: Data<App>,
    caller: Caller,
    category_id: Path<CategoryId>,
    command: Command<NoBody>,
) -> Result<Recorded<()>> {
    let place = place(&app, *category_id).await?;
    let context = caller.permit(place).await?.context(&command);
    let removed = handlers::remove_category(app.engine(), *category_id, &context).await;
    app.recorded_of::<Category, _, _, _>(*category_id, removed, &context)
        .await
}

async fn place(app: &App, category_id: CategoryId) -> Result<Place> {
    let category = app.engine().read::<Category>(category_id).await?;
    Ok(Place::store(category.state.section()?.store_id()))
}

impl From<ArrangeCategoriesError> for Problem {
    fn from(error: ArrangeCategoriesError) -> Self {
        match error {
            ArrangeCategoriesError::Store(store) => store.into(),
            ArrangeCategoriesError::Category(category) => category.into(),
        }
    }
}

impl From<CategoryError> for Problem {
    fn from(error: CategoryError) -> Self {
        let code = match &error {
            // As if it were another's.
            CategoryError::NotCreated | CategoryError::Removed => {
                return Self::new(Code::NotFound);
            }
            CategoryError::AlreadyCreated => Code::AlreadyExists,
            CategoryError::BelowItself
            | CategoryError::OtherStore { .. }
            | CategoryError::TooDeep { .. } => return Self::invalid_at("/parent_id", error),
        };
        Self::new(code).with_detail(error)
    }
}

//! What has happened to a category.

use crate::event_names::event_names;
use crate::{CategoryId, Slug, StoreId, Text};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CategoryEvent {
    Created {
        category_id: CategoryId,
        store_id: StoreId,
        slug: Slug,
        name: Text<120>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<CategoryId>,
    },
    Renamed {
        name: Text<120>,
    },
    Moved {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<CategoryId>,
    },
    Removed {},
}

event_names!(CategoryEvent, "category", {
    Created => "created" v 1,
    Renamed => "renamed" v 1,
    Moved => "moved" v 1,
    Removed => "removed" v 1,
});

//! What may be asked of a category.

use super::Parent;
use crate::{CategoryId, Slug, StoreId, Text};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CategoryCommand {
    Create {
        category_id: CategoryId,
        store_id: StoreId,
        slug: Slug,
        name: Text<120>,
        parent: Option<Parent>,
    },
    Rename {
        name: Text<120>,
    },
    /// To the top where there is no parent.
    Move {
        parent: Option<Parent>,
    },
    Remove,
}

//! Why a category says no.

use crate::CategoryId;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CategoryError {
    #[error("there is no such category")]
    NotCreated,
    #[error("the category is created already")]
    AlreadyCreated,
    #[error("the category was removed")]
    Removed,
    #[error("a category cannot lie below itself")]
    BelowItself,
    #[error("category {category_id} belongs to another store")]
    OtherStore { category_id: CategoryId },
    #[error("categories cannot lie more than {max} deep")]
    TooDeep { max: usize },
}

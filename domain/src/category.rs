//! A section of a store, under which its products are found. Categories form a tree.

mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

pub use command::CategoryCommand;
pub use error::CategoryError;
pub use event::CategoryEvent;

use crate::decide::only_if;
use crate::{CategoryId, Decide, Slug, StoreId, Text, write_decision};
use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub enum Category {
    #[default]
    NotCreated,
    Listed(Box<Section>),
    Removed,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Section {
    category_id: CategoryId,
    store_id: StoreId,
    slug: Slug,
    name: Text<120>,
    parent: Option<CategoryId>,
}

/// A category that another is to lie below, with all that it lies below itself, nearest first.
///
/// It holds for as long as none of them moves: read them in the unit of work that uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    category_id: CategoryId,
    store_id: StoreId,
    ancestors: Vec<CategoryId>,
}

type Decision = Result<Vec<CategoryEvent>, CategoryError>;

impl Category {
    /// How many levels there may be. What a category carries with it when it moves is not counted:
    /// it may end up deeper, but then takes nothing more below it.
    pub const DEPTH_MAX: usize = 8;

    /// # Errors
    /// [`CategoryError::NotCreated`] or [`CategoryError::Removed`].
    pub fn section(&self) -> Result<&Section, CategoryError> {
        match self {
            Self::NotCreated => Err(CategoryError::NotCreated),
            Self::Listed(section) => Ok(section),
            Self::Removed => Err(CategoryError::Removed),
        }
    }

    fn change(&mut self, change: impl FnOnce(&mut Section)) {
        match self {
            Self::NotCreated | Self::Removed => (),
            Self::Listed(section) => change(section),
        }
    }
}

impl Decide for Category {
    type Id = CategoryId;

    fn decide(&self, command: CategoryCommand) -> Decision {
        match command {
            CategoryCommand::Create {
                category_id,
                store_id,
                slug,
                name,
                parent,
            } => {
                let section = Section {
                    category_id,
                    store_id,
                    slug,
                    name,
                    parent: None,
                };
                self.create(section, parent)
            }
            CategoryCommand::Rename { name } => {
                let is_new = name != self.section()?.name;
                Ok(only_if(is_new, CategoryEvent::Renamed { name }))
            }
            CategoryCommand::Move { parent } => self.section()?.move_below(parent),
            CategoryCommand::Remove => match self {
                Self::NotCreated => Err(CategoryError::NotCreated),
                Self::Listed(_) => Ok(vec![CategoryEvent::Removed {}]),
                Self::Removed => Ok(vec![]),
            },
        }
    }
}

impl Category {
    fn create(&self, section: Section, parent: Option<Parent>) -> Decision {
        match self {
            Self::NotCreated => (),
            Self::Listed(_) => return Err(CategoryError::AlreadyCreated),
            Self::Removed => return Err(CategoryError::Removed),
        }
        let parent = section.fits_below(parent)?;
        Ok(vec![CategoryEvent::Created {
            category_id: section.category_id,
            store_id: section.store_id,
            slug: section.slug,
            name: section.name,
            parent,
        }])
    }
}

impl Section {
    pub fn store_id(&self) -> StoreId {
        self.store_id
    }

    pub fn slug(&self) -> &Slug {
        &self.slug
    }

    pub fn name(&self) -> &Text<120> {
        &self.name
    }

    /// `None` at the top of the tree.
    pub fn parent(&self) -> Option<CategoryId> {
        self.parent
    }

    /// This category as one that another may lie below.
    pub fn as_parent(&self, ancestors: Vec<CategoryId>) -> Parent {
        Parent {
            category_id: self.category_id,
            store_id: self.store_id,
            ancestors,
        }
    }

    fn move_below(&self, parent: Option<Parent>) -> Decision {
        let parent = self.fits_below(parent)?;
        let is_new = parent != self.parent;
        Ok(only_if(is_new, CategoryEvent::Moved { parent }))
    }

    fn fits_below(&self, parent: Option<Parent>) -> Result<Option<CategoryId>, CategoryError> {
        let Some(parent) = parent else {
            return Ok(None);
        };
        let category_id = parent.category_id;
        if parent.store_id != self.store_id {
            return Err(CategoryError::OtherStore { category_id });
        }
        if category_id == self.category_id || parent.ancestors.contains(&self.category_id) {
            return Err(CategoryError::BelowItself);
        }
        // Its ancestors, the parent and the category itself.
        if parent.ancestors.len() + 2 > Category::DEPTH_MAX {
            return Err(CategoryError::TooDeep {
                max: Category::DEPTH_MAX,
            });
        }
        Ok(Some(category_id))
    }
}

impl Aggregate for Category {
    const TYPE: &'static str = "category";
    type Command = CategoryCommand;
    type Event = CategoryEvent;
    type Error = CategoryError;
    type Services = ();

    async fn handle(
        &mut self,
        command: CategoryCommand,
        _services: &(),
        sink: &EventSink<Self>,
    ) -> Result<(), CategoryError> {
        write_decision(self, command, sink).await
    }

    fn apply(&mut self, event: CategoryEvent) {
        match event {
            CategoryEvent::Created {
                category_id,
                store_id,
                slug,
                name,
                parent,
            } => {
                *self = Self::Listed(Box::new(Section {
                    category_id,
                    store_id,
                    slug,
                    name,
                    parent,
                }));
            }
            CategoryEvent::Renamed { name } => self.change(|section| section.name = name),
            CategoryEvent::Moved { parent } => self.change(|section| section.parent = parent),
            CategoryEvent::Removed {} => *self = Self::Removed,
        }
    }
}

//! The fold, without a database.

use super::*;
use crate::given::{id, row, rows, text};

#[test]
fn a_category_is_where_it_was_moved_to() {
    let moved = CategoryEvent::Moved {
        parent: Some(id(6)),
    };
    let renamed = CategoryEvent::Renamed {
        name: text("Cups and mugs"),
    };
    let events = [created(), moved, renamed].map(|event| AnyEvent::Category(id(5), event));
    let category = row::<Categories>(events);
    assert_eq!(category.parent_id, Some(id(6)));
    assert_eq!(category.name, "Cups and mugs");
    assert_eq!(category.slug, "mugs");
    assert_eq!(category.version, 3);
}

#[test]
fn a_removed_category_is_not_there() {
    let events = [created(), CategoryEvent::Removed {}];
    let events = events.map(|event| AnyEvent::Category(id(5), event));
    assert!(rows::<Categories>(events).is_empty());
}

fn created() -> CategoryEvent {
    CategoryEvent::Created {
        category_id: id(5),
        store_id: id(10),
        slug: text("mugs"),
        name: text("Mugs"),
        parent: None,
    }
}

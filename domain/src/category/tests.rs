//! Given, when, then.

use super::*;
use cqrs_es::test::{AggregateTestExecutor, TestFramework};
use uuid::Uuid;

#[test]
fn a_category_is_created_at_the_top_or_below_another() {
    given([])
        .when(create(None))
        .then_expect_events(vec![created(None)]);
    given([])
        .when(create(Some(parent(MUGS, &[]))))
        .then_expect_events(vec![created(Some(MUGS))]);
}

#[test]
fn a_category_is_created_once() {
    given([created(None)])
        .when(create(None))
        .then_expect_error(CategoryError::AlreadyCreated);
    given([created(None), removed()])
        .when(create(None))
        .then_expect_error(CategoryError::Removed);
}

#[test]
fn a_category_can_be_renamed() {
    given([created(None)])
        .when(rename("Cups"))
        .then_expect_events(vec![renamed("Cups")]);
    given([created(None), renamed("Cups")])
        .when(rename("Cups"))
        .then_expect_events(vec![]);
}

#[test]
fn a_category_can_be_moved_and_moved_back() {
    given([created(None)])
        .when(move_below(MUGS, &[KITCHEN]))
        .then_expect_events(vec![moved(Some(MUGS))]);
    given([created(None), moved(Some(MUGS))])
        .when(CategoryCommand::Move { parent: None })
        .then_expect_events(vec![moved(None)]);
}

#[test]
fn a_category_that_lies_there_already_does_not_move() {
    given([created(None)])
        .when(CategoryCommand::Move { parent: None })
        .then_expect_events(vec![]);
    given([created(None), moved(Some(MUGS))])
        .when(move_below(MUGS, &[]))
        .then_expect_events(vec![]);
}

#[test]
fn a_category_is_not_its_own_parent() {
    given([created(None)])
        .when(move_below(THIS, &[]))
        .then_expect_error(CategoryError::BelowItself);
    given([])
        .when(create(Some(parent(THIS, &[]))))
        .then_expect_error(CategoryError::BelowItself);
}

#[test]
fn a_category_does_not_lie_below_its_descendants() {
    given([created(None)])
        .when(move_below(MUGS, &[KITCHEN, THIS]))
        .then_expect_error(CategoryError::BelowItself);
}

#[test]
fn a_parent_is_of_the_same_store() {
    let elsewhere = Parent {
        store_id: Uuid::from_u128(99).into(),
        ..parent(MUGS, &[])
    };
    let refusal = CategoryError::OtherStore { category_id: MUGS };
    given([])
        .when(create(Some(elsewhere.clone())))
        .then_expect_error(refusal.clone());
    given([created(None)])
        .when(CategoryCommand::Move {
            parent: Some(elsewhere),
        })
        .then_expect_error(refusal);
}

#[test]
fn the_tree_has_eight_levels() {
    let ancestors: Vec<CategoryId> = (0..7).map(|n| Uuid::from_u128(50 + n).into()).collect();
    given([created(None)])
        .when(move_below(MUGS, &ancestors[..6]))
        .then_expect_events(vec![moved(Some(MUGS))]);
    given([created(None)])
        .when(move_below(MUGS, &ancestors))
        .then_expect_error(CategoryError::TooDeep { max: 8 });
}

#[test]
fn a_category_is_removed_once() {
    given([created(None)])
        .when(CategoryCommand::Remove)
        .then_expect_events(vec![removed()]);
    given([created(None), removed()])
        .when(CategoryCommand::Remove)
        .then_expect_events(vec![]);
}

#[test]
fn a_removed_category_refuses_every_change() {
    for command in [rename("Cups"), move_below(MUGS, &[])] {
        given([created(None), removed()])
            .when(command)
            .then_expect_error(CategoryError::Removed);
    }
}

#[test]
fn what_is_not_created_answers_nothing_but_creation() {
    for command in [
        rename("Cups"),
        move_below(MUGS, &[]),
        CategoryCommand::Remove,
    ] {
        given([])
            .when(command)
            .then_expect_error(CategoryError::NotCreated);
    }
}

#[test]
fn a_category_knows_where_it_lies() {
    let mut category = Category::default();
    for event in [created(None), renamed("Cups"), moved(Some(MUGS))] {
        category.apply(event);
    }
    let section = category.section().unwrap();
    assert_eq!(section.parent(), Some(MUGS));
    assert_eq!(section.name(), &name("Cups"));
    assert_eq!(section.as_parent(vec![MUGS]), parent(THIS, &[MUGS]));
}

const THIS: CategoryId = CategoryId::from_uuid(Uuid::from_u128(1));
const MUGS: CategoryId = CategoryId::from_uuid(Uuid::from_u128(2));
const KITCHEN: CategoryId = CategoryId::from_uuid(Uuid::from_u128(3));
const STORE: StoreId = StoreId::from_uuid(Uuid::from_u128(10));

fn given<const N: usize>(events: [CategoryEvent; N]) -> AggregateTestExecutor<Category> {
    TestFramework::with(()).given(events.into())
}

fn name(text: &str) -> Text<120> {
    text.parse().unwrap()
}

fn parent(category_id: CategoryId, ancestors: &[CategoryId]) -> Parent {
    Parent {
        category_id,
        store_id: STORE,
        ancestors: ancestors.to_vec(),
    }
}

fn create(parent: Option<Parent>) -> CategoryCommand {
    CategoryCommand::Create {
        category_id: THIS,
        store_id: STORE,
        slug: "tableware".parse().unwrap(),
        name: name("Tableware"),
        parent,
    }
}

fn created(parent: Option<CategoryId>) -> CategoryEvent {
    CategoryEvent::Created {
        category_id: THIS,
        store_id: STORE,
        slug: "tableware".parse().unwrap(),
        name: name("Tableware"),
        parent,
    }
}

fn rename(text: &str) -> CategoryCommand {
    CategoryCommand::Rename { name: name(text) }
}

fn renamed(text: &str) -> CategoryEvent {
    CategoryEvent::Renamed { name: name(text) }
}

fn move_below(category_id: CategoryId, ancestors: &[CategoryId]) -> CategoryCommand {
    CategoryCommand::Move {
        parent: Some(parent(category_id, ancestors)),
    }
}

fn moved(parent: Option<CategoryId>) -> CategoryEvent {
    CategoryEvent::Moved { parent }
}

fn removed() -> CategoryEvent {
    CategoryEvent::Removed {}
}

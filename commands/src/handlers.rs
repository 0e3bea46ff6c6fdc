//! One file per request that touches several aggregates, and what they share.

mod add_variant;
mod archive_product;
mod arrange_categories;
mod cancel_order;
mod cart_items;
mod claims;
mod collect_payment;
mod create_product;
mod describe_product;
mod erase_account;
mod forget_guest;
mod fulfil_order;
mod leave_vendor;
mod open_store;
mod place_order;
mod refund_payment;
mod register_account;
mod register_vendor;
mod shelf;

pub use add_variant::{AddVariant, AddVariantError, add_variant};
pub use archive_product::archive_product;
pub use arrange_categories::{
    ArrangeCategoriesError, ChangeCategory, CreateCategory, change_category, create_category,
    remove_category,
};
pub use cancel_order::{CancelOrder, CancelOrderError, cancel_order};
pub use cart_items::{AddToCart, CartItemError, SetCartQuantity, add_to_cart, set_cart_quantity};
pub use claims::email_claim;
pub use collect_payment::{CollectPayment, CollectPaymentError, CollectedPayment, collect_payment};
pub use create_product::{CreateProduct, CreateProductError, CreatedProduct, create_product};
pub use describe_product::{DescribeProductError, describe_product};
pub use erase_account::erase_account;
pub use forget_guest::forget_guest;
pub use fulfil_order::{FulfilOrderError, ShipOrder, deliver_order, pack_order, ship_order};
pub use leave_vendor::{remove_vendor_member, withdraw_invitation};
pub use open_store::{OpenStore, OpenStoreError, open_store};
pub use place_order::{
    OrderSource, PlaceOrder, PlaceOrderError, PlacedOrder, ShortLine, place_order,
};
pub use refund_payment::{RefundPayment, RefundPaymentError, RefundedPayment, refund_payment};
pub use register_account::{RegisterAccount, register_account};
pub use register_vendor::{RegisterVendor, RegisterVendorError, register_vendor};

//! One file per request that touches several aggregates, and what they share.

mod add_variant;
mod apply_coupon;
mod archive_product;
mod arrange_categories;
mod attempt_payment;
mod cancel_order;
mod cart_items;
pub(crate) mod claims;
mod collect_payment;
mod complete_payout;
mod complete_refund;
mod create_product;
mod decide_payout;
mod describe_product;
mod erase_account;
mod expire_order;
mod forget_guest;
mod fulfil_order;
mod give_back;
mod leave_vendor;
mod load_statement;
mod open_store;
mod place_order;
mod receive_money;
mod refund_payment;
mod register_account;
mod register_vendor;
mod release_coupon;
mod request_payout;
mod request_refund;
mod run_promotions;
mod set_commission_rules;
mod set_payout_account;
mod settle_sale;
mod shelf;
mod take_payment;

pub use add_variant::{AddVariant, AddVariantError, add_variant};
pub use apply_coupon::{ApplyCoupon, ApplyCouponError, apply_coupon};
pub use archive_product::archive_product;
pub use arrange_categories::{
    ArrangeCategoriesError, ChangeCategory, CreateCategory, change_category, create_category,
    remove_category,
};
pub use attempt_payment::{
    Ask, AttemptPayment, AttemptPaymentError, AttemptedPayment, attempt_payment,
};
pub use cancel_order::{CancelOrder, CancelOrderError, cancel_order};
pub use cart_items::{AddToCart, CartItemError, SetCartQuantity, add_to_cart, set_cart_quantity};
pub use claims::email_claim;
pub use collect_payment::{CollectPayment, CollectPaymentError, CollectedPayment, collect_payment};
pub use complete_payout::{CompletePayout, complete_payout};
pub use complete_refund::{CompleteRefund, CompleteRefundError, complete_refund};
pub use create_product::{CreateProduct, CreateProductError, CreatedProduct, create_product};
pub use decide_payout::{DecidePayout, PayoutDecision, decide_payout};
pub use describe_product::{DescribeProductError, describe_product};
pub use erase_account::erase_account;
pub use expire_order::{ExpireOrderError, Expiry, expire_order};
pub use forget_guest::forget_guest;
pub use fulfil_order::{FulfilOrderError, ShipOrder, deliver_order, pack_order, ship_order};
pub use leave_vendor::{remove_vendor_member, withdraw_invitation};
pub use load_statement::{LoadStatement, LoadStatementError, LoadedStatement, load_statement};
pub use open_store::{OpenStore, OpenStoreError, open_store};
pub use place_order::{
    OrderSource, PlaceOrder, PlaceOrderError, PlacedOrder, ShortLine, place_order,
};
pub use receive_money::{ReceiveMoney, ReceiveMoneyError, receive_money};
pub use refund_payment::{RefundPayment, RefundPaymentError, RefundedPayment, refund_payment};
pub use register_account::{RegisterAccount, register_account};
pub use register_vendor::{RegisterVendor, RegisterVendorError, register_vendor};
pub use request_payout::{PayoutError, RequestPayout, RequestedPayout, request_payout};
pub use request_refund::{RequestRefund, RequestRefundError, RequestedRefund, request_refund};
pub use run_promotions::{
    ChangePromotion, CreatePromotion, RunPromotionError, change_promotion, create_promotion,
    end_promotion,
};
pub use set_commission_rules::{SetCommissionRulesError, set_commission_rules};
pub use set_payout_account::{SetPayoutAccount, set_payout_account};
pub use settle_sale::{
    CreditVendors, DebitVendors, SettleSaleError, credit_vendors, debit_vendors,
};
pub use take_payment::{TakePayment, TakePaymentError, TakenPayment, take_payment};

//! What money is booked to.

use soko_domain::VendorId;
use soko_domain::payment::PaymentProvider;
use std::fmt::{self, Display, Formatter};

/// An account of one store. Its name is how the tables and the API know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// What buyers owe: given by a sale, taken by the money that comes.
    Receivable,
    /// Money that is with a provider.
    Clearing(PaymentProvider),
    /// What providers kept for their work.
    Fees(PaymentProvider),
    /// What payers' banks took back, until it is known who bears it.
    Chargebacks(PaymentProvider),
    /// What a vendor sold, without tax, before discounts.
    Sales(VendorId),
    /// What of that was taken back.
    Refunds(VendorId),
    /// The tax in what a vendor sold, less that in what was taken back.
    Tax(VendorId),
    /// What a vendor took off, who bears it.
    Discount(VendorId),
    /// What the store took off, and so pays the vendors in the buyers' stead.
    Subsidies,
    /// What a vendor sold, as it is handed on to whom it belongs: the vendor and the store. The
    /// other side of sales, refunds, tax and discounts.
    Settlement(VendorId),
    /// What the store owes a vendor.
    VendorPayable(VendorId),
    /// What was paid out to vendors by hand, out of whatever the store paid it from.
    PaidByHand,
    /// What the store keeps of sales, without tax.
    Commission,
    /// The tax on that, which the store owes.
    CommissionTax,
    /// What buyers paid for the way.
    Shipping,
}

impl Display for Account {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Receivable => f.write_str("receivable"),
            Self::Clearing(provider) => write!(f, "clearing:{}", provider.as_str()),
            Self::Fees(provider) => write!(f, "fees:{}", provider.as_str()),
            Self::Chargebacks(provider) => write!(f, "chargebacks:{}", provider.as_str()),
            Self::Sales(vendor_id) => write!(f, "sales:{vendor_id}"),
            Self::Refunds(vendor_id) => write!(f, "refunds:{vendor_id}"),
            Self::Tax(vendor_id) => write!(f, "tax:{vendor_id}"),
            Self::Discount(vendor_id) => write!(f, "discount:{vendor_id}"),
            Self::Subsidies => f.write_str("discount:store"),
            Self::Settlement(vendor_id) => write!(f, "settlement:{vendor_id}"),
            Self::VendorPayable(vendor_id) => write!(f, "vendor_payable:{vendor_id}"),
            Self::PaidByHand => f.write_str("paid_by_hand"),
            Self::Commission => f.write_str("commission"),
            Self::CommissionTax => f.write_str("commission_tax"),
            Self::Shipping => f.write_str("shipping"),
        }
    }
}

//! Who sells.

use crate::ReadModel;
use crate::query::{Keyset, Within, rows};
use crate::row::Json;
use chrono::{DateTime, Utc};
use soko_domain::vendor::{VendorEvent, VendorStatus};
use soko_domain::{AnyEvent, EmailAddress, Personal, PhoneNumber, StoreId, TenantId, VendorId};
use soko_event_log::{RecordedEvent, ScopedReader};
use sqlx::QueryBuilder;
use uuid::Uuid;

crate::row! {
    /// A vendor. Who belongs to it is in [`members`](super::members).
    pub struct Vendor in "vendors" {
        key { vendor_id: VendorId }
        tenant_id: TenantId,
        store_id: StoreId,
        name: String,
        email: Json<Personal<EmailAddress>>,
        phone: Json<Personal<PhoneNumber>>,
        country: String,
        status: VendorStatus,
        /// Why it was rejected or suspended.
        reason: Option<String>,
        version: i64,
        registered_at: DateTime<Utc>,
    }
}

/// The read model.
#[derive(Debug)]
pub struct Vendors;

impl ReadModel for Vendors {
    const VERSION: i32 = 1;
    const STREAMS: &'static [&'static str] = &["vendor"];

    type Key = VendorId;
    type Row = Vendor;

    fn keys(recorded: &RecordedEvent) -> Vec<VendorId> {
        match &recorded.event {
            AnyEvent::Vendor(vendor_id, _) => vec![*vendor_id],
            _ => vec![],
        }
    }

    fn fold(row: Option<Vendor>, vendor_id: &VendorId, recorded: &RecordedEvent) -> Option<Vendor> {
        let AnyEvent::Vendor(_, event) = &recorded.event else {
            return row;
        };
        let mut vendor = match (row, event) {
            (
                None,
                VendorEvent::Registered {
                    store_id,
                    name,
                    email,
                    phone,
                    country,
                    ..
                },
            ) => Vendor {
                vendor_id: *vendor_id,
                tenant_id: recorded.tenant_id,
                store_id: *store_id,
                name: name.to_string(),
                email: Json(email.clone()),
                phone: Json(phone.clone()),
                country: country.to_string(),
                status: VendorStatus::Pending,
                reason: None,
                version: 0,
                registered_at: recorded.recorded_at,
            },
            (row, _) => row?,
        };
        vendor.apply(event);
        vendor.version = super::version(recorded);
        Some(vendor)
    }

    fn sources(vendor_id: &VendorId) -> Option<Vec<(&'static str, Uuid)>> {
        Some(vec![("vendor", vendor_id.as_uuid())])
    }
}

impl Vendor {
    fn apply(&mut self, event: &VendorEvent) {
        match event {
            VendorEvent::Registered { .. }
            | VendorEvent::MemberInvited { .. }
            | VendorEvent::InvitationWithdrawn { .. }
            | VendorEvent::MemberJoined { .. }
            | VendorEvent::MemberRoleChanged { .. }
            | VendorEvent::MemberRemoved { .. } => (),
            VendorEvent::Approved {} | VendorEvent::Reinstated {} => {
                self.status = VendorStatus::Approved;
                self.reason = None;
            }
            VendorEvent::Rejected { reason } => {
                self.status = VendorStatus::Rejected;
                self.reason = Some(reason.to_string());
            }
            VendorEvent::Suspended { reason } => {
                self.status = VendorStatus::Suspended;
                self.reason = Some(reason.to_string());
            }
            VendorEvent::DetailsChanged { name, email, phone } => {
                self.name = name.to_string();
                self.email = Json(email.clone());
                self.phone = Json(phone.clone());
            }
        }
    }
}

/// One vendor, if it is within what the caller may see.
///
/// # Errors
/// The database failed.
pub async fn vendor(
    reader: &ScopedReader,
    within: Within,
    vendor_id: VendorId,
) -> Result<Option<Vendor>, sqlx::Error> {
    let mut query = QueryBuilder::new(rows::select::<Vendor>());
    query
        .push(" WHERE vendor_id = ")
        .push_bind(vendor_id.as_uuid());
    within.and(&mut query);
    rows::optional(query, reader, &within.scope()).await
}

/// Which vendors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VendorFilter {
    pub store_id: Option<StoreId>,
    pub status: Option<VendorStatus>,
}

/// Vendors, the latest first, before one of them.
///
/// # Errors
/// The database failed.
pub async fn vendors(
    reader: &ScopedReader,
    within: Within,
    filter: VendorFilter,
    page: Keyset<VendorId>,
) -> Result<(Vec<Vendor>, Option<VendorId>), sqlx::Error> {
    let mut query = QueryBuilder::new(rows::select::<Vendor>());
    query.push(" WHERE true");
    within.and(&mut query);
    if let Some(store_id) = filter.store_id {
        query.push(" AND store_id = ").push_bind(store_id.as_uuid());
    }
    if let Some(status) = filter.status {
        query.push(" AND status = ").push_bind(status.as_str());
    }
    if let Some(before) = page.after {
        query.push(" AND vendor_id < ").push_bind(before.as_uuid());
    }
    query.push(" ORDER BY vendor_id DESC LIMIT ");
    query.push(page.limit + 1);
    let mut items: Vec<Vendor> = rows::all(query, reader, &within.scope()).await?;
    let next = Keyset::cut(page.limit, &mut items, |last| last.vendor_id);
    Ok((items, next))
}

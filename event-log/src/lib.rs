//! The one log of everything that changed: appending to it, reading it, and following it.
//!
//! It knows units, streams, positions and claims; it does not know any rule of the trade, and
//! nothing in it decides.

mod append;
mod appender;
mod bus;
mod canonical;
mod claims;
mod connecting;
mod feed;
mod load;
mod position;
mod read;
mod recorded_event;
mod relay;
mod scope;
mod short_memory;
mod stored_event;
mod subscription;
mod vault;

pub use append::{AppendError, Appended, EpochMark, Guard, NewEvent, Release, Unit};
pub use appender::{Appender, AppenderOptions, Ticket};
pub use bus::{Bus, BusError, POSITION_HEADER};
pub use canonical::{CanonicalError, canonical_json};
pub use claims::{Claim, ClaimKind, Claims, FoundClaim};
pub use connecting::connect_in_time;
pub use feed::{Feed, FeedError, FeedOptions};
pub use load::{LoadError, Loader};
pub use position::Position;
pub use read::{LogReader, ReadError, Scan, Stretch, Trail};
pub use recorded_event::{Actor, Metadata, RecordedEvent};
pub use relay::{Relay, RelayOptions};
pub use scope::{Scope, ScopedReader};
pub use short_memory::{ShortMemory, Since};
pub use stored_event::{Entry, PoisonedEvent, StoredEvent};
pub use subscription::{
    Delivery, JetStream, JetStreamOptions, Subscription, SubscriptionError, Tail,
};
pub use vault::{
    BrokenSeal, DataKey, KeptKeyError, Keys, MasterKey, MasterKeyError, MasterKeys, NewKey,
    OpenError, RotationError, Sealer, Vault, VaultError,
};

/// Every migration there is; the only place of DDL.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../migrations");

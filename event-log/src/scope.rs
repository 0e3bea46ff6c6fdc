//! Queries that see one scope: the second wall behind the conditions of the queries themselves.
//!
//! The policies of the tables (`migrations/0070_row_security.sql`) show what `soko.scope` says. It
//! is set by the query itself, for its own transaction: that costs no round trip, and a connection
//! never carries a scope from one query to the next. Should the order in which the parts of the
//! query run ever be another, nothing would be seen, and not too much.

use soko_domain::{AccountId, CartId, TenantId};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Arguments as _, Execute as _, PgPool, Postgres, QueryBuilder};
use std::fmt::{self, Display, Formatter};
use uuid::Uuid;

/// Whose rows a query can see at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// What everybody may see: the views of the schema `catalog`, and no table.
    Public,
    /// Everything there is.
    Platform,
    Tenant(TenantId),
    /// Only the tenants themselves, as in a list of them.
    Tenants(Vec<TenantId>),
    /// What belongs to an account, in whichever tenant.
    Account(AccountId),
    /// What a token opens; known by its SHA-256 (hex).
    Token(String),
    /// What belongs to an account, and what hangs on one thing of it: on an order its payments and
    /// all that happened to it, on a payment its moves. That the thing is theirs, the query asks.
    PartOfAccount(AccountId, Uuid),
    /// The same of what a token opens.
    PartOfToken(String, Uuid),
    Cart(CartId),
}

/// As `soko.scope` has it.
impl Display for Scope {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public => f.write_str("public"),
            Self::Platform => f.write_str("platform"),
            Self::Tenant(tenant_id) => write!(f, "tenant {tenant_id}"),
            Self::Tenants(tenant_ids) => {
                let ids: Vec<_> = tenant_ids.iter().map(TenantId::to_string).collect();
                write!(f, "tenants {}", ids.join(","))
            }
            Self::Account(account_id) => write!(f, "account {account_id}"),
            Self::Token(hash) => write!(f, "token {hash}"),
            Self::PartOfAccount(account_id, thing) => write!(f, "account {account_id} {thing}"),
            Self::PartOfToken(hash, thing) => write!(f, "token {hash} {thing}"),
            Self::Cart(cart_id) => write!(f, "cart {cart_id}"),
        }
    }
}

/// Reads tables of many tenants, each query within a scope; cheap to clone. Whoever answers
/// requests has this and no pool, so that there is no query without a scope.
#[derive(Debug, Clone)]
pub struct ScopedReader {
    pool: PgPool,
    has_wall: bool,
}

impl ScopedReader {
    /// The pool's role must be one that the policies bind.
    pub const fn new(pool: PgPool) -> Self {
        Self {
            pool,
            has_wall: true,
        }
    }

    /// For a login that no policy binds: only the queries' own conditions keep tenants apart.
    pub const fn without_wall(pool: PgPool) -> Self {
        Self {
            pool,
            has_wall: false,
        }
    }

    /// # Errors
    /// The database failed.
    pub async fn all(
        &self,
        scope: &Scope,
        query: QueryBuilder<'_, Postgres>,
    ) -> Result<Vec<PgRow>, sqlx::Error> {
        let (sql, arguments) = self.scoped(scope, query)?;
        sqlx::query_with(&sql, arguments)
            .fetch_all(&self.pool)
            .await
    }

    /// # Errors
    /// The database failed.
    pub async fn optional(
        &self,
        scope: &Scope,
        query: QueryBuilder<'_, Postgres>,
    ) -> Result<Option<PgRow>, sqlx::Error> {
        let (sql, arguments) = self.scoped(scope, query)?;
        sqlx::query_with(&sql, arguments)
            .fetch_optional(&self.pool)
            .await
    }

    /// The query, run after the scope has been set: a condition that has nothing to do with its rows
    /// stands before it as a gate, which is asked once and first; and `OFFSET 0` keeps the planner from
    /// mixing the two.
    fn scoped(
        &self,
        scope: &Scope,
        mut query: QueryBuilder<'_, Postgres>,
    ) -> Result<(String, PgArguments), sqlx::Error> {
        let mut built = query.build();
        let mut arguments = built
            .take_arguments()
            .map_err(sqlx::Error::Encode)?
            .unwrap_or_default();
        let asked = built.sql();
        if *scope == Scope::Public || !self.has_wall {
            return Ok((asked.to_owned(), arguments));
        }
        arguments
            .add(scope.to_string())
            .map_err(sqlx::Error::Encode)?;
        let place = arguments.len();
        let sql = format!(
            "SELECT * FROM (SELECT * FROM ({asked}) AS asked OFFSET 0) AS found \
             WHERE (SELECT set_config('soko.scope', ${place}, true)) IS NOT NULL"
        );
        Ok((sql, arguments))
    }
}

-- Who there is, and where.
CREATE TABLE read_models.tenants (
    tenant_id  uuid        NOT NULL PRIMARY KEY,
    name       text        NOT NULL,
    version    bigint      NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE read_models.stores (
    store_id           uuid        NOT NULL PRIMARY KEY,
    tenant_id          uuid        NOT NULL,
    slug               text        NOT NULL,
    name               text        NOT NULL,
    currency           text        NOT NULL,
    country            text        NOT NULL,
    time_zone          text        NOT NULL,
    prices_include_tax boolean     NOT NULL,
    tax_rate_bps       integer     NOT NULL,
    payment_methods    json        NOT NULL,
    commission_bps     integer     NOT NULL,
    main_location      uuid        NOT NULL,
    -- [{"location_id", "name"}], the main one first.
    locations          json        NOT NULL,
    -- Of the pages of its web shops: ["https://shop.example"].
    web_origins        json        NOT NULL,
    -- The event that last changed from where its web shops may call: null if none ever could.
    web_origins_position bigint,
    is_open            boolean     NOT NULL,
    version            bigint      NOT NULL,
    opened_at          timestamptz NOT NULL
);

CREATE INDEX stores_tenant ON read_models.stores (tenant_id, store_id);
CREATE INDEX stores_slug ON read_models.stores (slug);
-- Every process asks each second what is new.
CREATE INDEX stores_web_origins ON read_models.stores (web_origins_position)
    WHERE web_origins_position IS NOT NULL;

CREATE TABLE read_models.vendors (
    vendor_id     uuid        NOT NULL PRIMARY KEY,
    tenant_id     uuid        NOT NULL,
    store_id      uuid        NOT NULL,
    name          text        NOT NULL,
    -- {"personal_of", "value"}
    email         json        NOT NULL,
    phone         json        NOT NULL,
    country       text        NOT NULL,
    status        text        NOT NULL,
    -- Why it was rejected or suspended.
    reason        text,
    version       bigint      NOT NULL,
    registered_at timestamptz NOT NULL
);

CREATE INDEX vendors_store ON read_models.vendors (store_id, vendor_id);
CREATE INDEX vendors_tenant ON read_models.vendors (tenant_id, vendor_id);

CREATE TABLE read_models.invitations (
    invitation_id uuid        NOT NULL PRIMARY KEY,
    tenant_id     uuid        NOT NULL,
    vendor_id     uuid        NOT NULL,
    email         json        NOT NULL,
    role          text        NOT NULL,
    -- Of the token that accepts it: SHA-256 (hex).
    token_hash    text        NOT NULL,
    -- open, accepted or withdrawn.
    status        text        NOT NULL,
    invited_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL
);

CREATE INDEX invitations_vendor ON read_models.invitations (vendor_id, invitation_id);
CREATE INDEX invitations_token ON read_models.invitations (token_hash);

-- Who belongs to which team, and as what.
CREATE TABLE read_models.members (
    account_id uuid        NOT NULL,
    -- tenant, store or vendor, and its id.
    scope      text        NOT NULL,
    scope_id   uuid        NOT NULL,
    tenant_id  uuid        NOT NULL,
    role       text        NOT NULL,
    since      timestamptz NOT NULL,
    PRIMARY KEY (account_id, scope, scope_id)
);

CREATE INDEX members_team ON read_models.members (scope_id, account_id);

CREATE TABLE read_models.accounts (
    account_id        uuid        NOT NULL PRIMARY KEY,
    -- {"personal_of", "value"}
    name              json        NOT NULL,
    email             json        NOT NULL,
    phone             json,
    is_email_verified boolean     NOT NULL,
    platform_roles    json        NOT NULL,
    is_erased         boolean     NOT NULL,
    version           bigint      NOT NULL,
    registered_at     timestamptz NOT NULL
);

SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE, DELETE ON read_models.tenants');
SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE, DELETE ON read_models.stores');
SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE, DELETE ON read_models.vendors');
SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE, DELETE ON read_models.invitations');
SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE, DELETE ON read_models.members');
SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE, DELETE ON read_models.accounts');

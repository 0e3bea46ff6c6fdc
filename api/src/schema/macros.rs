//! Structs of the wire, written down once: the type, how it is read or written, and its schema.

/// The body of a request: read from JSON with every fault in it found, described in OpenAPI.
macro_rules! body {
    ($(
        $(#[doc = $about:literal])*
        $visibility:vis struct $name:ident {
            $(
                $(#[doc = $field_about:literal])*
                $(#[serde($($serde:tt)*)])?
                $field_visibility:vis $field:ident: $type:ty
            ),* $(,)?
        }
    )+) => {$(
        $(#[doc = $about])*
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        $visibility struct $name {
            $($(#[doc = $field_about])* $(#[serde($($serde)*)])? $field_visibility $field: $type,)*
        }

        impl $crate::schema::Described for $name {
            fn schema(components: &mut $crate::schema::Components) -> serde_json::Value {
                components.named(stringify!($name), |components| {
                    let object = $crate::schema::ObjectSchema::default();
                    $(let object = object.member::<$type>(
                        components,
                        stringify!($field),
                        concat!($($field_about),*),
                    );)*
                    let _ = &components;
                    object.finish(concat!($($about),*), true)
                })
            }
        }

        impl $crate::body::Readable for $name {
            const MAY_BE_ABSENT: bool =
                true $(&& <$type as $crate::schema::Described>::OPTIONAL)*;

            fn inspect(value: &serde_json::Value, reading: &mut $crate::body::Reading) {
                let Some(members) = reading.object(value) else { return };
                $(reading.member::<$type>(members, stringify!($field));)*
                reading.unknown(members, &[$(stringify!($field)),*]);
            }
        }
    )+};
}

/// What an answer consists of: written as JSON, described in OpenAPI.
macro_rules! answer {
    ($(
        $(#[doc = $about:literal])*
        $visibility:vis struct $name:ident {
            $(
                $(#[doc = $field_about:literal])*
                $(#[serde($($serde:tt)*)])?
                $field_visibility:vis $field:ident: $type:ty
            ),* $(,)?
        }
    )+) => {$(
        $(#[doc = $about])*
        #[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
        $visibility struct $name {
            $($(#[doc = $field_about])* $(#[serde($($serde)*)])? $field_visibility $field: $type,)*
        }

        impl $crate::schema::Described for $name {
            fn schema(components: &mut $crate::schema::Components) -> serde_json::Value {
                components.named(stringify!($name), |components| {
                    let object = $crate::schema::ObjectSchema::default();
                    $(let object = object.member::<$type>(
                        components,
                        stringify!($field),
                        concat!($($field_about),*),
                    );)*
                    let _ = &components;
                    object.finish(concat!($($about),*), false)
                })
            }
        }
    )+};
}

/// The schema of an enum that is one of a few words on the wire, and its reading.
macro_rules! words {
    ($($type:ty = $name:literal [$($word:literal),+ $(,)?]),+ $(,)?) => {$(
        impl $crate::schema::Described for $type {
            fn schema(components: &mut $crate::schema::Components) -> serde_json::Value {
                components.named($name, |_| {
                    serde_json::json!({ "type": "string", "enum": [$($word),+] })
                })
            }
        }

        impl $crate::body::Readable for $type {}

        impl $crate::query::Parameter for $type {
            fn read(text: Option<&str>) -> std::result::Result<Self, String> {
                let text = text.ok_or("is missing")?;
                serde_json::from_value(serde_json::Value::from(text))
                    .map_err(|_| format!("must be one of {}", [$($word),+].join(", ")))
            }

            fn schema() -> serde_json::Value {
                serde_json::json!({ "type": "string", "enum": [$($word),+] })
            }
        }
    )+};
}

pub(crate) use {answer, body, words};

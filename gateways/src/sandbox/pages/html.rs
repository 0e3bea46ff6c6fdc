//! Plain pages, with everything that came from outside escaped.

const STYLE: &str = "body{font:16px/1.5 sans-serif;max-width:34rem;margin:2rem auto;padding:0 1rem}\
.prompt{border:1px solid #999;border-radius:.5rem;padding:.5rem 1rem;margin:1rem 0}\
label{display:block;margin:.5rem 0}";

pub(super) fn page(title: &str, body: &str) -> String {
    format!(
        r#"<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>
<body><h1>{title}</h1>{body}</body></html>"#
    )
}

pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_comes_from_outside_is_text() {
        assert_eq!(
            escaped(r#"<a href="x" onclick='y'>&"#),
            "&lt;a href=&quot;x&quot; onclick=&#39;y&#39;&gt;&amp;"
        );
    }
}

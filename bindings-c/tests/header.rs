//! The header is generated, committed, and compared, so that C reads what the code says.
//! After a change: `PORTALLOC_UPDATE_HEADER=1 cargo test -p portalloc-c --test header`.

use std::path::Path;

#[test]
fn the_committed_header_is_up_to_date() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut config = cbindgen::Config::from_file(here.join("cbindgen.toml")).expect("cbindgen.toml is readable");
    let versions = [
        ("@MAJOR@", env!("CARGO_PKG_VERSION_MAJOR")),
        ("@MINOR@", env!("CARGO_PKG_VERSION_MINOR")),
        ("@PATCH@", env!("CARGO_PKG_VERSION_PATCH")),
    ];
    config.after_includes =
        config.after_includes.map(|text| versions.iter().fold(text, |text, (place, part)| text.replace(place, part)));
    let bindings = cbindgen::Builder::new().with_crate(here).with_config(config).generate().expect("the sources are");
    let mut generated = Vec::new();
    bindings.write(&mut generated);
    let generated = String::from_utf8(generated).unwrap();
    let path = here.join("include/portalloc.h");
    if std::env::var_os("PORTALLOC_UPDATE_HEADER").is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == generated, "include/portalloc.h is out of date: see the head of this file");
}

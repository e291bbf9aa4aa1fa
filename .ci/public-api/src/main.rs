//! Prints every public item of a crate, one a line, from the JSON that rustdoc wrote.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("which JSON of rustdoc?")?;
    let api =
        public_api::Builder::from_rustdoc_json(path).omit_blanket_impls(true).omit_auto_trait_impls(true).build()?;
    println!("{api}");
    Ok(())
}

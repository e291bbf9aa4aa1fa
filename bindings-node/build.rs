//! Tells the linker that Node brings what the addon calls.

fn main() {
    napi_build::setup();
}

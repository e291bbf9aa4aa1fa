//! The checksum of what the `ports` file has: CRC-32 as in IEEE 802.3. Pure.

use crc::{CRC_32_ISO_HDLC, Crc, Table};

/// By tables: instructions for this pay from 128 bytes on, and to ask the processor for them is slow in virtual machines.
static CRC: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);

pub(crate) fn checksum(bytes: &[u8]) -> u32 {
    CRC.checksum(bytes)
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_the_one_that_others_compute() {
        assert_eq!(super::checksum(b"123456789"), 0xcbf4_3926);
    }
}

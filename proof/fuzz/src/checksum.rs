//! The checksum at the end of every slot of the `ports` file, by the book.

/// CRC-32 of the slot with zeros in the place of the checksum.
pub fn checksum(bytes: &[u8; 64]) -> [u8; 4] {
    let mut crc = u32::MAX;
    for byte in bytes[..60].iter().chain(&[0; 4]) {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    (!crc).to_le_bytes()
}

/// Writes the checksum that belongs to the rest.
pub fn put_right(bytes: &mut [u8; 64]) {
    let sum = checksum(bytes);
    bytes[60..].copy_from_slice(&sum);
}

//! G.711: µ-law and A-law (ITU-T G.711), 8 kHz, one byte a sample.

/// Added before a µ-law segment is looked up.
const BIAS: i32 = 0x84;
/// Loudest magnitude that µ-law can carry.
const CLIP: i32 = 32_635;

/// Codes one sample in µ-law.
pub fn encode_ulaw(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = i32::from(sample).abs().min(CLIP) + BIAS;
    let exponent = 31 - magnitude.leading_zeros() as i32 - 7;
    let mantissa = (magnitude >> (exponent + 3)) & 0x0F;
    !(sign | (exponent << 4) | mantissa) as u8
}

/// Decodes one µ-law byte; full scale is ±32,124.
pub fn decode_ulaw(byte: u8) -> i16 {
    ULAW[usize::from(byte)]
}

/// Codes one sample in A-law.
pub fn encode_alaw(sample: i16) -> u8 {
    // Negative values are taken in one's complement, so that both signs have the same steps.
    let (sign, magnitude) = if sample < 0 {
        (0, !i32::from(sample))
    } else {
        (0x80, i32::from(sample))
    };
    let code = if magnitude < 256 {
        magnitude >> 4
    } else {
        let exponent = 31 - magnitude.leading_zeros() as i32 - 7;
        (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0F)
    };
    ((sign | code) ^ 0x55) as u8
}

/// Decodes one A-law byte; full scale is ±32,256.
pub fn decode_alaw(byte: u8) -> i16 {
    ALAW[usize::from(byte)]
}

static ULAW: [i16; 256] = {
    let mut table = [0i16; 256];
    let mut i = 0;
    while i < 256 {
        let code = !(i as u8);
        let exponent = ((code >> 4) & 7) as i32;
        let mantissa = (code & 0x0F) as i32;
        let magnitude = (((mantissa << 3) + BIAS) << exponent) - BIAS;
        table[i] = if code & 0x80 != 0 {
            -magnitude as i16
        } else {
            magnitude as i16
        };
        i += 1;
    }
    table
};

static ALAW: [i16; 256] = {
    let mut table = [0i16; 256];
    let mut i = 0;
    while i < 256 {
        let code = (i as u8) ^ 0x55;
        let exponent = ((code >> 4) & 7) as i32;
        let mantissa = (code & 0x0F) as i32;
        let magnitude = if exponent == 0 {
            (mantissa << 4) + 8
        } else {
            ((mantissa << 4) + 0x108) << (exponent - 1)
        };
        table[i] = if code & 0x80 != 0 {
            magnitude as i16
        } else {
            -magnitude as i16
        };
        i += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_a_round_trip() {
        for byte in 0..=255u8 {
            // 0x7F is negative zero in µ-law: it decodes to 0, which codes as positive zero.
            let want = if byte == 0x7F { 0xFF } else { byte };
            assert_eq!(encode_ulaw(decode_ulaw(byte)), want, "ulaw {byte:#x}");
            assert_eq!(encode_alaw(decode_alaw(byte)), byte, "alaw {byte:#x}");
        }
    }

    #[test]
    fn known_values_of_the_recommendation() {
        assert_eq!(
            (decode_ulaw(0xFF), decode_ulaw(0x80), decode_ulaw(0x00)),
            (0, 32_124, -32_124)
        );
        assert_eq!(
            (decode_alaw(0xD5), decode_alaw(0xAA), decode_alaw(0x2A)),
            (8, 32_256, -32_256)
        );
    }

    #[test]
    fn the_error_stays_below_one_step_for_all_samples() {
        for sample in i16::MIN..=i16::MAX {
            let error_u = i32::from(decode_ulaw(encode_ulaw(sample))) - i32::from(sample);
            let error_a = i32::from(decode_alaw(encode_alaw(sample))) - i32::from(sample);
            let bound = (i32::from(sample).abs() / 32).max(16) + 8;
            let clipped = i32::from(sample).abs() > 32_256;
            assert!(clipped || error_u.abs() <= bound, "ulaw {sample}: {error_u}");
            assert!(clipped || error_a.abs() <= bound, "alaw {sample}: {error_a}");
        }
    }
}

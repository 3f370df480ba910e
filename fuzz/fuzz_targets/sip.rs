#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = roomtone_sip::hostile::sip(data);
});

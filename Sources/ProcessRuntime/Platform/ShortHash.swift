/// FNV-1a, 64 bit, as 13 characters of base 36; for names of folders and marks, not for secrets.
enum ShortHash {
    static func of(_ text: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        return String(hash, radix: 36)
    }
}

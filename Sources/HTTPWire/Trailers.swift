/// Whether `line` is a field that may stand behind a body (RFC 9110 section 6.5.1): nothing that says where a message ends,
/// where it goes, who asks, on what condition, or what the body is.
///
/// - Parameter contextName: one more name that may not, in lower case; may be empty.
func isGoodTrailer(_ line: UnsafeRawBufferPointer, contextName: [UInt8]) -> Bool {
    guard case .success(let field) = Field.parse(line, 0, line.count) else { return false }
    switch field.known {
    case .other, .trailer: break
    default: return false
    }
    let name = field.name.of(line)
    if contextName.withUnsafeBytes({ $0.count == name.count && isPlainly(name, $0) }) { return false }
    func begins(_ prefix: StaticString) -> Bool {
        isPlainly(name, UnsafeRawBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount))
    }
    func equals(_ other: StaticString) -> Bool { name.count == other.utf8CodeUnitCount && begins(other) }
    if begins("x-msx-") || begins("x-forwarded-") || begins("content-") || begins("proxy-") || begins("if-") {
        return false
    }
    if equals("authorization") || equals("www-authenticate") || equals("set-cookie") || equals("forwarded") {
        return false
    }
    if equals("range") || equals("location") || equals("max-forwards") || equals("cache-control") { return false }
    return !(equals("age") || equals("expires") || equals("date") || equals("vary") || equals("retry-after"))
}

/// Whether `name` begins with `prefix`, without case, and with `_` and `-` as one: so do those compare who read headers as
/// variables.
private func isPlainly(_ name: UnsafeRawBufferPointer, _ prefix: UnsafeRawBufferPointer) -> Bool {
    func plain(_ byte: UInt8) -> UInt8 { byte == 0x5F ? 0x2D : asciiLowercased(byte) }
    guard name.count >= prefix.count else { return false }
    for index in 0..<prefix.count where plain(name[index]) != plain(prefix[index]) { return false }
    return true
}

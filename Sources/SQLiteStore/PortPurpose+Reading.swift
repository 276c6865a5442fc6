import Storage

extension PortAssignment.Purpose {
    /// Reads the three forms that this store writes, without a JSON parser: an environment has dozens, a large server
    /// hundreds of thousands.
    ///
    /// `nil` for whatever looks different, such as a name with an escape, which is then read as any JSON.
    init?(quickly json: [UInt8]) {
        guard !json.contains(UInt8(ascii: "\\")) else { return nil }
        let parts = json.split(separator: UInt8(ascii: "\""), omittingEmptySubsequences: false)
        func text(_ index: Int) -> String { String(decoding: parts[index], as: UTF8.self) }
        func isForm(_ form: [StaticString]) -> Bool {
            // Every second one is a value.
            parts.count == form.count
                && form.indices.allSatisfy { index in
                    form[index].utf8CodeUnitCount == 0
                        || parts[index].elementsEqual(
                            UnsafeBufferPointer(start: form[index].utf8Start, count: form[index].utf8CodeUnitCount))
                }
        }
        // An empty text stands for a value.
        if isForm(["{", "service", ":{", "_0", ":", "", ",", "port", ":", "", "}}"]) {
            self = .service(text(5), port: text(9))
        } else if isForm(["{", "address", ":{", "caller", ":", "", ",", "port", ":", "", ",", "service", ":", "", "}}"])
        {
            self = .address(caller: text(5), service: text(13), port: text(9))
        } else if isForm(["{", "address", ":{", "port", ":", "", ",", "service", ":", "", "}}"]) {
            self = .address(caller: nil, service: text(9), port: text(5))
        } else {
            return nil
        }
    }
}

import CNghttp2

/// Reads the header blocks of one direction of a connection (RFC 7541), in their order.
final class HeaderInflater {
    private var inflater: OpaquePointer?

    init() { nghttp2_hd_inflate_new(&inflater) }

    deinit { nghttp2_hd_inflate_del(inflater) }

    func fields(of bytes: [UInt8]) -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        var position = 0
        while position < bytes.count {
            var pair = nghttp2_nv()
            var flags: Int32 = 0
            let taken = bytes.withUnsafeBufferPointer {
                nghttp2_hd_inflate_hd2(
                    inflater, &pair, &flags, $0.baseAddress.map { $0 + position }, bytes.count - position, 1)
            }
            guard taken >= 0 else { return [("error", "\(taken)")] }
            position += taken
            // NGHTTP2_HD_INFLATE_EMIT
            guard flags & 2 != 0 else { break }
            fields.append((text(pair.name, pair.namelen), text(pair.value, pair.valuelen)))
        }
        nghttp2_hd_inflate_end_headers(inflater)
        return fields
    }

    private func text(_ start: UnsafeMutablePointer<UInt8>?, _ count: Int) -> String {
        String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }
}

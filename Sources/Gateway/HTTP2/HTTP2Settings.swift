import CNghttp2
import HTTPWire

/// What we tell the peer about ourselves (RFC 9113 section 6.5.2), and the limits of a connection.
struct HTTP2Settings {
    /// Streams that a client may have open at once.
    static let servedStreams = 1024
    /// Streams that we open on one connection to a service before we open another connection.
    static let askedStreams = 256
    /// Until the peer says what it allows.
    static let assumedStreams = 100
    /// Streams kept between messages.
    static let keptStreams = 128

    /// In bytes.
    let streamWindow: UInt32
    /// In bytes, for all streams of the connection.
    let connectionWindow: Int32
    let maxStreams: UInt32?

    /// What may come unread on one stream of a client, in bytes.
    static let servedWindow = 256 << 10

    /// What one client can make us keep is bounded by the window of its connection. A client whose own requests are
    /// stuck waits for itself only.
    ///
    /// - Parameter most: as many requests as the event loop takes at once.
    static func serving(at most: Int) -> HTTP2Settings {
        HTTP2Settings(
            streamWindow: UInt32(servedWindow), connectionWindow: 8 << 20,
            maxStreams: UInt32(min(servedStreams, max(1, most))))
    }

    /// As large as all streams together: nobody who reads slowly keeps the answers of others back.
    static let asking = HTTP2Settings(
        streamWindow: 128 << 10, connectionWindow: Int32(askedStreams) * (128 << 10), maxStreams: nil)

    func submit(to session: OpaquePointer?) {
        var entries = [
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue), value: streamWindow),
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.rawValue),
                value: UInt32(HTTPWire.maxHeadBytes)),
        ]
        if let maxStreams {
            entries.append(
                nghttp2_settings_entry(
                    settings_id: Int32(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue), value: maxStreams))
        } else {
            entries.append(
                nghttp2_settings_entry(settings_id: Int32(NGHTTP2_SETTINGS_ENABLE_PUSH.rawValue), value: 0))
        }
        let none = UInt8(NGHTTP2_FLAG_NONE.rawValue)
        nghttp2_submit_settings(session, none, entries, entries.count)
        nghttp2_session_set_local_window_size(session, none, 0, connectionWindow)
    }
}

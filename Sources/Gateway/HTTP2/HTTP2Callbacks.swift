import CNghttp2
import HTTPWire

/// The library's callbacks, each of which finds its ``HTTP2Connection`` and takes a note there.
enum HTTP2Callbacks {
    // Made once and only read by the library afterwards.
    nonisolated(unsafe) static let shared: OpaquePointer? = makeCallbacks()
    nonisolated(unsafe) static let options: OpaquePointer? = makeOptions()

    /// Where the content of a stream's message comes from.
    static func source(_ stream: HTTP2Stream) -> nghttp2_data_provider {
        // The stream is in its connection's list for as long as the library may ask.
        var provider = nghttp2_data_provider()
        provider.source.ptr = Unmanaged.passUnretained(stream).toOpaque()
        provider.read_callback = { _, _, buffer, length, flags, source, _ in
            guard let pointer = source?.pointee.ptr, let flags else {
                return Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)
            }
            let stream = Unmanaged<HTTP2Stream>.fromOpaque(pointer).takeUnretainedValue()
            return stream.fetch(UnsafeMutableRawBufferPointer(start: buffer, count: length), &flags.pointee)
        }
        return provider
    }

    private static func makeOptions() -> OpaquePointer? {
        var options: OpaquePointer?
        nghttp2_option_new(&options)
        // A window opens when the other side has taken what came.
        nghttp2_option_set_no_auto_window_update(options, 1)
        nghttp2_option_set_no_closed_streams(options, 1)
        // What is within our own limits is sent, with what we write into it.
        nghttp2_option_set_max_send_header_block_length(options, HTTPWire.HeadLimits.forwarded.bytes)
        // A head of 64 KiB, in small frames: the library counts every read that brings a part of one.
        nghttp2_option_set_max_continuations(options, 128)
        return options
    }

    private static func makeCallbacks() -> OpaquePointer? {
        var callbacks: OpaquePointer?
        nghttp2_session_callbacks_new(&callbacks)
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, _, user in
            connection(user)?.beganHead()
            return 0
        }
        nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks) { _, header, user in
            if let header { connection(user)?.beganFrame(header.pointee) }
            return 0
        }
        nghttp2_session_callbacks_set_on_header_callback(callbacks) { _, _, name, nameLength, value, length, _, user in
            connection(user)?.add(
                UnsafeRawBufferPointer(start: name, count: nameLength),
                UnsafeRawBufferPointer(start: value, count: length))
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, user in
            if let frame { connection(user)?.received(frame: frame) }
            return 0
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, id, data, length, user in
            connection(user)?.received(content: UnsafeRawBufferPointer(start: data, count: length), on: id)
            return 0
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, id, code, user in
            connection(user)?.closed(stream: id, code)
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, user in
            if let frame { connection(user)?.sent(frame: frame) }
            return 0
        }
        return callbacks
    }
}

/// It lives as long as its session.
private func connection(_ user: UnsafeMutableRawPointer?) -> HTTP2Connection? {
    user.map { Unmanaged<HTTP2Connection>.fromOpaque($0).takeUnretainedValue() }
}

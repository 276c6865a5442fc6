import NIOCore

/// One end of an open WebSocket (RFC 6455, no extensions).
///
/// Back-pressure in both directions: `send` returns when the kernel took the bytes, and nothing is read from the socket
/// while 128 KiB of messages wait for `receive`. Pings are answered by themselves, at most one answer at a time; a server
/// sends one every half minute, so that what stands between does not take the connection for dead. A peer that is gone
/// without a word is found by the kernel's keepalive (TCP).
///
/// Dropping the last reference closes the connection.
package final class WebSocket: Sendable {
    private let connection: WebSocketConnection

    init(_ connection: WebSocketConnection) { self.connection = connection }

    deinit { connection.abort() }

    /// The next message, in order; `nil` once the other side closed in an orderly way and everything before was given.
    /// One reader at a time. Cancelling only ends the wait.
    ///
    /// - Throws: ``WebSocketBroken`` when the connection broke or the other side broke the protocol.
    package func receive() async throws -> WebSocketMessage? {
        let promise = connection.loop.makePromise(of: WebSocketMessage?.self)
        return try await withTaskCancellationHandler {
            connection.receive(promise)
            return try await promise.futureResult.get()
        } onCancel: {
            connection.cancelReceive(promise)
        }
    }

    /// Returns when the kernel took the message. Cancelling ends the wait; the message may still go out.
    ///
    /// - Throws: ``WebSocketBroken`` when it cannot be sent any more.
    package func send(_ message: WebSocketMessage) async throws {
        let promise = connection.loop.makePromise(of: Void.self)
        try await withTaskCancellationHandler {
            connection.send(message, promise)
            try await promise.futureResult.get()
        } onCancel: {
            promise.fail(CancellationError())
        }
    }

    /// Says that no more will be sent, and why; what the other side still says is thrown away. Returns when the
    /// connection is closed, after at most two seconds.
    package func close(_ code: WebSocketCloseCode = .normal, reason: String = "") async {
        connection.close(code, reason: reason)
        // Only ever succeeded.
        try? await connection.gone.futureResult.get()
    }

    /// Ends the connection at once.
    package func abort() { connection.abort() }

    /// Returns when the other side closed or is gone, whether or not its messages have been received; or when the task
    /// is cancelled.
    package func untilClosed() async {
        let promise = connection.loop.makePromise(of: Void.self)
        await withTaskCancellationHandler {
            connection.ended.futureResult.cascade(to: promise)
            // Fails with the cancellation, which ends the wait as well.
            try? await promise.futureResult.get()
        } onCancel: {
            promise.fail(CancellationError())
        }
    }

    /// The code of the other side's close frame; `nil` where there was none.
    package var closeCode: WebSocketCloseCode? {
        get async { try? await connection.loop.submit { self.connection.closeCode }.get() }  // Never fails.
    }
}

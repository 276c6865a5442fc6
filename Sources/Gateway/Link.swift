/// One end of a connection as the exchange sees it: all that the proxy asks of an event loop.
///
/// Everything happens on the link's event loop. NIO's implementation is ``LinkHandler``.
protocol Link: AnyObject {
    var owner: (any LinkOwner)? { get set }
    /// False while more than the high-water mark waits to be written.
    var isWritable: Bool { get }
    /// After `closeOutput()` or `close()`, until what was written before it has gone.
    var isSending: Bool { get }
    /// How many bytes may yet come and be kept while nobody wants any.
    var keepsUnread: Int { get }
    /// Takes a copy, to be sent with the next flush.
    func write(_ bytes: UnsafeRawBufferPointer)
    /// Sends a range of `bytes`, which `source` is delivering just now, without copying where that is dear.
    func relay(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, from source: any Link)
    func flush()
    func pauseReading()
    /// Delivers again what was not taken, then reads on.
    func resumeReading()
    /// Sends the end of the stream after what was written.
    func closeOutput()
    /// Closes both ways after what was written. Whoever asks must see to it that this does not take for ever.
    func close()
    /// Closes now; what was not sent yet is lost.
    ///
    /// - Parameter reset: the peer sees the connection break (RST) instead of end, so that half an answer is never taken
    ///   for a whole one.
    func abort(reset: Bool)
    /// Why it ended, where more is known than that it did.
    var trouble: LinkTrouble { get }
}

enum LinkTrouble: Sendable, Equatable {
    case none
    /// The peer said that it has seen nothing of the request (RFC 9113 section 8.7).
    case refusedUnseen
    /// The peer ended this request, and no other.
    case reset
    /// The peer speaks another protocol than the one that was agreed on.
    case notHTTP2
}

extension LinkOwner {
    func wantsEnd(of link: any Link) -> Bool { false }
}

extension Link {
    var isSending: Bool { false }
    var keepsUnread: Int { 0 }
}

/// Who is told what happens on a link.
protocol LinkOwner: AnyObject {
    /// False: bytes that come are kept, and reading stops until `resumeReading()`.
    func wantsBytes(from link: any Link) -> Bool
    /// Returns how many bytes were taken; the rest is delivered again, with what comes after it.
    func received(_ bytes: UnsafeRawBufferPointer, from link: any Link) -> Int
    /// All that could be read just now was delivered: time to flush.
    func readCompleted(_ link: any Link)
    /// Whether the end of the stream is to be told at once, also behind bytes that are kept because nobody wants them.
    func wantsEnd(of link: any Link) -> Bool
    func inputClosed(_ link: any Link)
    /// - Parameter cleanly: the peer ended the stream; otherwise it broke.
    func closed(_ link: any Link, cleanly: Bool)
    func writabilityChanged(_ link: any Link)
}

/// Where an exchange gets a connection to a service's copy.
protocol Connector: AnyObject {
    /// Calls back on the same event loop, possibly at once, with the endpoint and the ticket that it was given: a
    /// connection that comes late must not be taken for another one.
    func connect(to endpoint: Endpoint, allowsReuse: Bool, ticket: Int, for user: any UpstreamUser)
    /// Takes back a connection that can serve another request, or was not used.
    func giveBack(_ link: any Link, endpoint: Endpoint)
}

protocol UpstreamUser: AnyObject, Sendable {
    /// - Parameter isReused: the connection served a request before.
    func connected(_ link: any Link, to endpoint: Endpoint, ticket: Int, isReused: Bool)
    /// - Parameter isExhausted: this process may open no more files; nothing is wrong with the copy.
    func connectFailed(ticket: Int, isExhausted: Bool)
}

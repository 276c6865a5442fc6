/// One event loop's HTTP/2 connections to copies: few, with many requests on each.
///
/// `@unchecked Sendable`: it is used on its event loop only.
final class HTTP2Upstreams: @unchecked Sendable {
    /// By the endpoint's number.
    private var connections: [Int: [HTTP2ClientConnection]] = [:]

    /// - Parameter open: begins a connection, for which its socket is opened at once.
    func connect(
        to endpoint: Endpoint, ticket: Int, for user: any UpstreamUser, open: () -> HTTP2ClientConnection
    ) {
        if let connection = connections[endpoint.number]?.first(where: { $0.hasRoom }) {
            return connection.ask(user, ticket: ticket)
        }
        let connection = open()
        connections[endpoint.number, default: []].append(connection)
        connection.ask(user, ticket: ticket)
    }

    func closed(_ connection: HTTP2ClientConnection) {
        let number = connection.endpoint.number
        connections[number]?.removeAll { $0 === connection }
        if connections[number]?.isEmpty == true { connections[number] = nil }
    }

    /// So long may the end of what nobody waits for take, in milliseconds.
    private static let patience: Int64 = 5000

    /// Says goodbye on what was unused since `oldest`, ends what does not end by itself.
    func tick(now: Int64, oldest: Int64) {
        for connection in Array(connections.values.joined()) {
            connection.sweep(before: now - Self.patience)
            guard connection.isUnused else { continue }
            if connection.isLeaving, connection.idleSince <= now - Self.patience {
                connection.cut()
            } else if connection.isLeaving || connection.idleSince <= oldest {
                connection.leave()
            }
        }
    }

    func closeAll() {
        for connection in connections.values.joined() { connection.leave() }
    }
}

import API
import APIClient
import EnvironmentGraph
import Gateway
import HTTPTransport

/// The tables of a server, over its API.
struct ControlPlaneSource: TableSource {
    private struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Shorter than what middle boxes leave open.
    private static let wait = 20

    private let client: APIClient
    let name: String

    init(address: HTTPAddress, token: String?) {
        var client = APIClient(address: address, token: token, timeout: .seconds(Self.wait + 20))
        client.largestReply = 256 << 20
        self.client = client
        name = address.written
    }

    func news(after cursor: String?) async throws -> TableNews {
        do {
            return try await client.routingTable(after: cursor, wait: Self.wait)
        } catch let error as APIFailure {
            throw Failure(description: error.error.message)
        } catch let error as ConnectionFailure {
            throw Failure(description: error.message)
        }
    }
}

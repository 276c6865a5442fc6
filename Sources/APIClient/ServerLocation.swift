import HTTPTransport

/// Where the server is that a command talks to.
package enum ServerLocation: Sendable, Hashable {
    /// The owner's own, on the Unix socket of a state folder.
    case local(StateFolder)
    /// `MICROSTAX_API_URL` with `MICROSTAX_API_KEY`.
    case remote(HTTPAddress, token: String?)

    /// - Parameter environment: the variables of this process.
    /// - Throws: ``LocationProblem`` for a URL that cannot be used, or a state folder that nothing names.
    package init(environment: [String: String]) throws(LocationProblem) {
        if let url = environment["MICROSTAX_API_URL"], !url.isEmpty {
            let key = environment["MICROSTAX_API_KEY"]
            self = .remote(try Self.address(of: url, named: "MICROSTAX_API_URL"), token: key == "" ? nil : key)
        } else {
            self = .local(try StateFolder(environment: environment))
        }
    }

    /// - Parameter name: what the URL is called in messages.
    package static func address(of url: String, named name: String) throws(LocationProblem) -> HTTPAddress {
        if url.lowercased().hasPrefix("https://") {
            throw LocationProblem(
                notSupportedYet: true, "\(name) is \(url): not_supported_yet: this client speaks http only")
        }
        let problem = LocationProblem("\(name) is \(url), which is not of the form http://host:port")
        guard url.lowercased().hasPrefix("http://") else { throw problem }
        var authority = url.dropFirst("http://".count)
        if authority.hasSuffix("/") { authority = authority.dropLast() }
        guard !authority.isEmpty, !authority.contains(where: { "/?#@ ".contains($0) }) else { throw problem }
        var host = authority
        var port = 80
        let afterBracket = authority.lastIndex(of: "]") ?? authority.startIndex
        if let colon = authority[afterBracket...].lastIndex(of: ":") {
            guard let written = UInt16(authority[authority.index(after: colon)...]), written > 0 else { throw problem }
            port = Int(written)
            host = authority[..<colon]
        }
        if host.hasPrefix("[") && host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { throw problem }
        return .tcp(host: String(host), port: port)
    }
}

/// Why no server can be looked for.
package struct LocationProblem: Error, Sendable, Hashable {
    package var message: String
    package var isNotSupportedYet: Bool

    init(notSupportedYet: Bool = false, _ message: String) {
        self.message = message
        isNotSupportedYet = notSupportedYet
    }
}

import Blueprints
import EnvironmentGraph

/// Whether a service listens where it was told to, by what the machine says.
extension Rule {
    static let listening: [Rule] = [
        Rule(
            "port_taken", "Another program listens on the service's port.",
            shownBy: "the machine's listening sockets and the service's output"
        ) { service, facts in
            for port in service.ports {
                let others = facts.sockets.filter {
                    $0.port == port.number && $0.service != service.name && $0.answersLoopback
                }
                guard let other = others.first else { continue }
                let who = other.service.map { "its neighbour \($0)" } ?? "another program"
                return Draft(
                    "\(service.name) cannot have its port \(port.number): \(who) (pid \(other.pid), \(other.program)) listens on it.",
                    [Evidence(.port, other.written), service.statusEvidence],
                    facts.repair(
                        service.name,
                        other.service == nil
                            ? "end that program, or take `hostPort` out"
                            : "make \(other.service ?? "") listen on its own PORT",
                        command: other.service == nil ? "kill \(other.pid)" : nil))
            }
            // The owner cannot be seen by everybody; the runtime's own attempt says as much.
            guard let said = LinePattern("port {} is in use by {}").captures(in: service.message ?? "") else {
                return nil
            }
            return Draft(
                "\(service.name) cannot have its port \(said[0]): \(said[1]) listens on it.", [service.statusEvidence],
                facts.repair(
                    service.name, "end that program, or take `hostPort` out",
                    command: "ss -ltnp 'sport = :\(said[0])'"))
        },
        Rule(
            "fixed_port_taken", "The service listens on a port of its own choice, which somebody else has.",
            says: [
                "EADDRINUSE: address already in use {}", "Address already in use", "address already in use",
                "Only one usage of each socket address",
            ]
        ) { sight in
            let number = Int(sight.first.reversed().prefix { $0.isNumber }.reversed().map(String.init).joined())
            let owner = number.flatMap { number in
                sight.facts.sockets.first { $0.port == number && $0.service != sight.service.name }
            }
            let who = owner.map { ": \($0.written)" } ?? ""
            return (
                "\(sight.service.name) wants a port that is in use\(who); it was given \(sight.service.portNumbers) (PORT).",
                sight.facts.repair(
                    sight.service.name, "make it listen on the port in its variable PORT, which nobody else has")
            )
        },
        Rule(
            "listens_elsewhere", "The service runs and listens on another port than the one in PORT.",
            shownBy: "the machine's listening sockets, or the service's output"
        ) { service, facts in
            guard let wanted = service.ports.first, service.state != .ready else { return nil }
            let given = Set(service.ports.map(\.number))
            let own = facts.sockets.filter { $0.service == service.name }
            guard !own.contains(where: { given.contains($0.port) }) else { return nil }
            let mends = facts.repair(
                service.name, "make it listen on the port in its variable PORT (now \(wanted.number)), on 127.0.0.1")
            if let socket = own.first {
                return Draft(
                    "\(service.name) listens on port \(socket.port), not on \(wanted.number), which it was given in PORT.",
                    [Evidence(.port, socket.written), service.statusEvidence], mends)
            }
            // It was ended for not answering: only its own words are left.
            guard service.pid == nil, let (port, line) = service.saidPort, !given.contains(port) else { return nil }
            return Draft(
                "\(service.name) listened on port \(port), not on \(wanted.number), which it was given in PORT.",
                [Evidence(.log, line), service.statusEvidence], mends, confidence: .likely)
        },
        Rule(
            "listens_on_other_address", "The service listens on its port, but not where 127.0.0.1 leads.",
            shownBy: "the machine's listening sockets"
        ) { service, facts in
            guard service.state != .ready else { return nil }
            for port in service.ports {
                let own = facts.sockets.filter { $0.service == service.name && $0.port == port.number }
                guard let socket = own.first, !own.contains(where: \.answersLoopback) else { continue }
                return Draft(
                    "\(service.name) listens on port \(port.number) of \(socket.address) only, where 127.0.0.1 does not lead.",
                    [Evidence(.port, socket.written), service.statusEvidence],
                    facts.repair(service.name, "make it listen on 127.0.0.1 (or 0.0.0.0)"))
            }
            return nil
        },
    ]

    /// Asked late: a program may wait for something before it listens.
    static let listensNowhere = Rule(
        "listens_on_nothing", "The service runs and listens on no port at all.",
        shownBy: "the machine's listening sockets", standing: .general
    ) { service, facts in
        guard let wanted = service.ports.first, service.pid != nil, !facts.sockets.isEmpty,
            [.starting, .unhealthy].contains(service.state), facts.now - service.since >= ServiceFacts.patience,
            !facts.sockets.contains(where: { $0.service == service.name })
        else { return nil }
        return Draft(
            "\(service.name) runs, but listens on nothing; it was given port \(wanted.number) (PORT).",
            [Evidence(.port, "no process of \(service.name) has a listening TCP socket"), service.statusEvidence]
                + service.lastLines(2),
            facts.repair(
                service.name, "see what it does instead of listening",
                command: "microstax env logs \(facts.name) --service \(service.name) --tail 20"),
            confidence: .likely)
    }
}

extension ServiceFacts {
    /// The port that its own output says it listens on.
    fileprivate var saidPort: (port: Int, line: String)? {
        let words = [
            "listening", "Listening", "Running on", "running on", "Serving", "started on", "ready on", "Listen",
        ]
        for line in output.reversed() where words.contains(where: line.contains) {
            // `:8080`, or `port 8080`.
            for (index, character) in zip(line.indices, line) where character == ":" || character == " " {
                let digits = line[line.index(after: index)...].prefix { $0.isNumber }
                let isNamed = character == ":" || line[..<index].hasSuffix("port")
                if isNamed, let port = Int(digits), (1...65535).contains(port), digits.count >= 2 {
                    return (port, line)
                }
            }
        }
        return nil
    }
}

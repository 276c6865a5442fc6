import Blueprints
import EnvironmentGraph

/// Suggestions in the words of this product's commands.
extension Facts {
    /// Go on with what failed, once its cause is gone. While an execution is under way, that is not for a person to start.
    func goOn(_ service: String) -> Suggestion {
        switch environment.state {
        case .error:
            Suggestion(
                id: "retry", title: "then go on from where it failed", command: "microstax env retry \(name)",
                action: .retry)
        case .running, .degraded: restart(service)
        default:
            Suggestion(
                id: "wait", title: "then wait: it is tried again by itself, and can be retried once it has failed",
                command: "microstax env wait \(name)")
        }
    }

    func restart(_ service: String) -> Suggestion {
        Suggestion(
            id: "restart-\(service)", title: "then start \(service) anew",
            command: "microstax env restart \(name) \(service)", action: .restart(service))
    }

    /// What a person changes in the program itself, or on the machine.
    func repair(_ service: String, _ title: String, command: String? = nil) -> [Suggestion] {
        [Suggestion(id: "repair-\(service)", title: title, command: command), goOn(service)]
    }

    /// What a person changes in the Blueprint.
    ///
    /// - Parameter path: below the service, such as `env.DATABASE_URL`; `env explain` says which file and line it is in.
    func edit(_ service: String, _ path: String, _ title: String) -> [Suggestion] {
        [
            Suggestion(
                id: "edit-\(service)", title: title,
                command: "microstax env explain \(name) services.\(service).\(path)"),
            changed,
        ]
    }

    /// How a changed Blueprint takes effect.
    var changed: Suggestion {
        guard EnvironmentCommand.update.allowedStates.contains(environment.state) else {
            return Suggestion(
                id: "update", title: "then stop it, and bring it to the changed Blueprint",
                command: "microstax env stop \(name) && microstax env update \(name) --file <blueprint>"
                    + " && microstax env resume \(name)")
        }
        return Suggestion(
            id: "update", title: "then bring it to the changed Blueprint",
            command: "microstax env update \(name) --file <blueprint>")
    }

    func logs(_ service: String) -> Suggestion {
        Suggestion(
            id: "logs-\(service)", title: "read what it says",
            command: "microstax env logs \(name) --service \(service) --tail 50")
    }
}

extension ServiceFacts {
    /// The variables of its spec that have this text in them, sorted, with the value as it is written.
    func variables(with text: String) -> [(key: String, value: String)] {
        spec.env.filter { $0.value.contains(text) }.sorted { $0.key < $1.key }
    }

    /// `services.payments.env.DATABASE_URL: postgres://localhost:5432`.
    func blueprintEvidence(_ variable: (key: String, value: String)) -> Evidence {
        Evidence(.blueprint, "services.\(name).env.\(variable.key): \(variable.value)")
    }

    /// The numbers of its ports: `21004`, or `21004 and 21005`.
    var portNumbers: String { ports.map { String($0.number) }.joined(separator: " and ") }
}

extension String {
    /// Whether it can be an environment variable as programs name them.
    var isVariableName: Bool {
        guard let first = utf8.first, count >= 2, count <= 100 else { return false }
        let isLetter = { (byte: UInt8) in (65...90).contains(byte) || byte == 95 }
        return isLetter(first) && utf8.allSatisfy { isLetter($0) || (48...57).contains($0) }
    }

    /// Up to the first blank or one of these.
    func word(upTo ends: Set<Character> = [" ", "\t", ",", ";", ")", "'", "\"", "`"]) -> String {
        String(prefix { !ends.contains($0) })
    }
}

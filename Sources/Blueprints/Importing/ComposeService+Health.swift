extension ComposeService {
    /// `healthcheck`, as the readiness probe.
    mutating func convertHealth() {
        guard let entry = value.entry("healthcheck") else { return }
        let check = entry.value
        let disabled = check["disable"]?.text == "true" || check["test"]?.items.first?.text == "NONE"
        guard !disabled, let test = check["test"], !test.isNull else {
            return leftOut(
                "healthcheck", ports.isEmpty ? "" : "ready is who accepts connections on the first port",
                at: entry.location)
        }
        let words: [String]
        var shell: String?
        if case .sequence = test.content {
            let all = texts(test, "healthcheck")
            switch all.first {
            case "CMD": words = Array(all.dropFirst())
            case "CMD-SHELL": (words, shell) = ([], all.dropFirst().joined(separator: " "))
            default: words = all
            }
        } else {
            (words, shell) = ([], text(test, "healthcheck") ?? "")
        }
        var fields: [(String, DraftNode)] = []
        if let request = HealthRequest(words: shell.map(HealthRequest.words) ?? words, hosts: ownNames),
            ports.contains(where: { $0.number == request.port && $0.transport != .tcp })
        {
            var http: [(String, DraftNode)] = [("path", .text(request.path))]
            if ports.first?.number != request.port { http.append(("port", .plain("\(request.port)"))) }
            fields.append(("http", .line(http)))
            changed("healthcheck", "as an `http` probe: the request that it sends", at: entry.location)
        } else {
            let command = (shell.map { ["sh", "-c", $0] } ?? words).map {
                renamed($0, "healthcheck", at: test.location)
            }
            guard let program = command.first, !program.isEmpty, shell != "" else {
                return attention("healthcheck", "its `test` runs nothing", at: test.location)
            }
            fields.append(("exec", .line([("command", .words(Array(command.prefix(Fields.maxItems))))])))
            carried("healthcheck", "as an `exec` probe")
            if command.contains(where: { $0.contains("/run/secrets/") }) {
                attention("healthcheck", "it reads /run/secrets, where there is nothing", at: test.location)
            }
        }
        fields += patience(check)
        set("probes", .line([("readiness", .line(fields))]))
    }

    private var ownNames: Set<String> {
        Set(["localhost", "127.0.0.1", "0.0.0.0", "[::1]", key, name]).union(
            names.services.filter { $0.value == name }.keys)
    }

    /// How often, how long, how many times. What the check says together is how long the service may take.
    private func patience(_ check: LocatedValue) -> [(String, DraftNode)] {
        func seconds(_ key: String) -> Double? {
            text(check[key], "healthcheck").flatMap(ComposeText.seconds).map { min(max($0, 0), 86_400) }
        }
        let interval = seconds("interval")
        let timeout = seconds("timeout")
        let retries = text(check["retries"], "healthcheck").flatMap { Int($0) }.map { min(max($0, 1), 10_000) }
        let start = seconds("start_period") ?? 0
        var fields: [(String, DraftNode)] = []
        let period = interval.map { min(max($0, 0.05), 3600) }
        if let period { fields.append(("periodSeconds", .plain(Self.number(period)))) }
        if let timeout { fields.append(("timeoutSeconds", .plain(Self.number(min(max(timeout, 0.05), 3600))))) }
        if interval != nil || retries != nil || start > 0 {
            // Compose tries three times, every 30 seconds, where nothing is said.
            let whole = start + Double(retries ?? 3) * (interval ?? 30)
            let tries = min(max((whole / (period ?? 1)).rounded(.up), 1), 100_000)
            fields.append(("failureThreshold", .plain("\(Int(tries))")))
        }
        return fields
    }
}

/// A health check that is plainly one request to the service itself: `curl -f http://localhost:8080/health || exit 1`.
struct HealthRequest: Equatable {
    var port: Int
    var path: String

    /// The words of a command for a shell; empty where it does more than run one program.
    static func words(_ command: String) -> [String] {
        var text = command
        for ending in ["|| exit 1", "|| exit", "|| false"] {
            let trimmed = text.trimmingSpaces()
            if trimmed.hasSuffix(ending) { text = String(trimmed.dropLast(ending.count)) }
        }
        for quiet in [">/dev/null", "> /dev/null", "2>&1"] { text = text.replacing(quiet, with: " ") }
        guard !text.contains(where: { "|&;<>`$(){}*\\".contains($0) }) else { return [] }
        return ComposeText.words(text)
    }

    /// `nil` where the words are more than one plain request to one of the hosts.
    init?(words: [String], hosts: Set<String>) {
        let harmless: Set<String> = [
            "-f", "--fail", "-s", "--silent", "-S", "--show-error", "-sS", "-fs", "-sf", "-fsS", "-sSf", "-sfS", "-fSs",
            "-q", "--quiet", "--spider", "-nv", "--no-verbose", "-L", "--location", "-fL", "-fsSL", "-g", "-qO-", "-qO",
            "-I", "--head", "-4", "-k", "--tries=1", "--no-check-certificate",
        ]
        let withValue: Set<String> = ["-o", "--output", "-O", "-T", "-t", "-m", "--max-time", "--connect-timeout"]
        guard let program = words.first?.split(separator: "/").last, program == "curl" || program == "wget" else {
            return nil
        }
        var url: String?
        var index = 1
        while index < words.count {
            let word = words[index]
            index += 1
            if withValue.contains(word) {
                index += 1
            } else if word.hasPrefix("-") {
                guard harmless.contains(word) || word.hasPrefix("--timeout=") || word.hasPrefix("--tries=") else {
                    return nil
                }
            } else if url == nil {
                url = word
            } else if word != "/dev/null" {
                return nil
            }
        }
        guard let url, url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        self.init(url: url, hosts: hosts)
    }

    private init?(url: String, hosts: Set<String>) {
        var rest = url[...]
        if rest.hasPrefix("http://") { rest = rest.dropFirst(7) }
        guard !rest.contains("://") else { return nil }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let tail = rest.dropFirst(authority.count)
        var host = authority
        port = 80
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            guard let number = Int(authority[authority.index(after: colon)...]), (1...65_535).contains(number) else {
                return nil
            }
            port = number
            host = authority[..<colon]
        }
        guard hosts.contains(String(host)) else { return nil }
        path = tail.isEmpty ? "/" : tail.hasPrefix("?") ? "/" + tail : String(tail)
    }
}

extension String {
    fileprivate func trimmingSpaces() -> String {
        guard let last = lastIndex(where: { $0 != " " }) else { return "" }
        return String(self[...last])
    }
}

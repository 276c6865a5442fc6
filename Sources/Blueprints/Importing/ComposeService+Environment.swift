extension ComposeService {
    /// `env_file`, then `environment` over it.
    mutating func readEnvironment(_ loading: ComposeLoading) {
        var found: [String: Variable] = [:]
        var order: [String] = []
        func add(_ variable: Variable) {
            if found[variable.key] == nil { order.append(variable.key) }
            found[variable.key] = variable
        }
        readFiles(loading).forEach(add)
        let written = ComposeMerge.map(value["environment"] ?? LocatedValue(.null, at: location))
        for entry in written.entries {
            let path = path("environment.\(entry.key)")
            let pieces =
                entry.value.text.map { values.pieces($0, path, at: entry.value.location) }
                ?? values.handedOn(entry.key, path, at: entry.location)
            add(Variable(key: entry.key, pieces: pieces, location: entry.location))
        }
        variables = order.compactMap { found[$0] }.filter { variable in
            // A key of YAML has up to 1024 characters.
            let isGood =
                !variable.key.isEmpty && variable.key.utf8.count <= 256
                && variable.key.utf8.allSatisfy { $0 > 0x20 && $0 != 0x3D && $0 != 0x7F }
            if !isGood {
                attention(
                    "environment", "`\(shortened(variable.key))` is no name for a variable", at: variable.location)
            }
            return isGood
        }
        carried("environment", "as `env`")
    }

    private mutating func readFiles(_ loading: ComposeLoading) -> [Variable] {
        guard let entry = value.entry("env_file") else { return [] }
        var result: [Variable] = []
        for item in entry.value.items.isEmpty ? [entry.value] : entry.value.items.prefix(20) {
            guard let file = text(item, "env_file") ?? text(item["path"], "env_file"), !file.isEmpty else { continue }
            guard let bytes = loading.bytes(FilePath.absolute(file, in: item.location.file.folder)) else {
                let isOptional = item["required"]?.text == "false"
                if isOptional {
                    leftOut("env_file", "\(file) is not there", at: item.location)
                } else {
                    attention(
                        "env_file", "\(shortened(file)) cannot be read; its variables are missing", at: item.location)
                }
                continue
            }
            notes.add(.changed, path("env_file"), "what \(file) says stands in `env`", at: item.location)
            for (key, text, _) in ComposeText.variables(bytes) {
                // A file of its own is often there so that secrets are not shared.
                let pieces: [ComposeVariables.Piece] =
                    ComposeVariables.isSecret(key) && text?.isEmpty == false
                    ? [.secret(key)]
                    : text.map { [.text($0)] } ?? values.handedOn(key, path("env_file"), at: item.location)
                result.append(Variable(key: key, pieces: pieces, location: item.location))
            }
        }
        return result
    }

    /// `secrets`: Compose mounts files, we set variables.
    mutating func convertSecrets(_ secrets: ComposeSecrets) {
        let keys = Set(variables.map(\.key))
        for item in value["secrets"]?.items.prefix(100) ?? [] {
            guard let name = item.text ?? item["source"]?.text else { continue }
            let mount = "/run/secrets/\(item["target"]?.text ?? name)"
            let (label, source) = secrets.defined(name)
            guard !secretNames.contains(label) else { continue }
            // Images that read `X` read `X_FILE` instead where it is set.
            if let index = variables.firstIndex(where: { $0.pieces == [.text(mount)] && $0.key.hasSuffix("_FILE") }) {
                let file = variables[index].key
                let key = String(file.dropLast(5))
                if !key.isEmpty, !variables.contains(where: { $0.key == key }), !secretKeys.contains(key) {
                    variables.remove(at: index)
                    addSecret(label, key, source)
                    changed("secrets", "\(name) is in \(key), where \(file) named a file", at: item.location)
                    continue
                }
            }
            let key = unusedKey(ComposeNames.plainLabel(name).replacing("-", with: "_").uppercased(), keys)
            addSecret(label, key, source)
            attention(
                "secrets",
                "`\(shortened(name))` is in the variable \(shortened(key)), not in the file \(shortened(mount))",
                at: item.location)
        }
    }

    /// `false` where there are as many as there can be.
    @discardableResult private mutating func addSecret(_ name: String, _ key: String, _ source: DraftNode) -> Bool {
        guard secrets.count < Fields.maxItems else { return false }
        secrets.append(.line([("name", .text(name)), ("envKey", .text(key)), ("value", source)]))
        secretNames.insert(name)
        secretKeys.insert(key)
        return true
    }

    /// A variable that nothing else sets.
    private func unusedKey(_ wanted: String, _ variables: Set<String>) -> String {
        let base = wanted.isEmpty ? "SECRET" : wanted
        func isFree(_ key: String) -> Bool { !variables.contains(key) && !secretKeys.contains(key) }
        return isFree(base) ? base : (2...).lazy.map { "\(base)_\($0)" }.first(where: isFree) ?? base
    }

    mutating func convertEnvironment(_ secrets: ComposeSecrets, _ ports: [String: [Port]]) {
        let places = hostsWithPort(ports)
        let keys = Set(variables.map(\.key))
        var entries: [DraftEntry] = []
        for variable in variables {
            if variable.pieces.count == 1, case .secret(let name) = variable.pieces[0] {
                let (label, source) = secrets.ofVariable(name)
                if !secretNames.contains(label), !secretKeys.contains(variable.key),
                    addSecret(label, variable.key, source)
                {
                    changed("environment.\(variable.key)", "it is a secret now", at: variable.location)
                    continue
                }
            }
            if let target = places[variable.key] {
                entries.append(DraftEntry(variable.key, .text(target)))
                changed("environment.\(variable.key)", "it refers to the service now", at: variable.location)
                continue
            }
            let isWhole = variable.pieces.count == 1
            let text = variable.pieces.map { piece -> String in
                switch piece {
                case .text(let text):
                    return rewritten(text, variable, isWhole: isWhole, ports)
                case .secret(let name): return reference(toSecret: name, of: variable, secrets, keys)
                }
            }.joined()
            let isNumber = PlainScalar.content(text) == .scalar(text, .integer)
            let missing = values.missing[path("environment.\(variable.key)")] ?? []
            let remark = missing.isEmpty ? nil : missing.map { "${\($0)}" }.joined(separator: ", ") + " has no value"
            entries.append(DraftEntry(variable.key, isNumber ? .plain(text) : .text(text), remark: remark))
        }
        if !entries.isEmpty { set("env", .map(entries)) }
        if !self.secrets.isEmpty { set("secrets", .list(self.secrets)) }
    }

    private mutating func reference(
        toSecret name: String, of variable: Variable, _ secrets: ComposeSecrets, _ keys: Set<String>
    ) -> String {
        let (label, source) = secrets.ofVariable(name)
        if !secretNames.contains(label), !addSecret(label, unusedKey(name, keys), source) {
            attention(
                "environment.\(variable.key)", "a service has up to \(Fields.maxItems) secrets; it is empty now",
                at: variable.location)
            return ""
        }
        return "${secrets.\(label)}"
    }

    /// Values for pairs such as `DB_HOST: db` and `DB_PORT: 5432`, which say the two halves of an address.
    private func hostsWithPort(_ ports: [String: [Port]]) -> [String: String] {
        var result: [String: String] = [:]
        let pieces = Dictionary(variables.map { ($0.key, $0.pieces) }) { first, _ in first }
        for variable in variables {
            guard variable.pieces.count == 1, case .text(let text) = variable.pieces[0],
                let target = names.services[text],
                target != name, let number = ports[target]?.first?.number
            else { continue }
            for ending in ["HOST", "HOSTNAME", "SERVER", "ADDR", "ADDRESS", "host"] where variable.key.hasSuffix(ending)
            {
                let other = String(variable.key.dropLast(ending.count)) + (ending == "host" ? "port" : "PORT")
                guard pieces[other] == [.text("\(number)")] else {
                    continue
                }
                result[variable.key] = "${services.\(target).host}"
                result[other] = "${services.\(target).port}"
            }
        }
        return result
    }

    /// A text with the names of services in it as they are now, as a template.
    private func rewritten(_ text: String, _ variable: Variable, isWhole: Bool, _ ports: [String: [Port]]) -> String {
        let found = LiteralAddresses.occurrences(
            in: text, key: isWhole ? variable.key : nil, among: names.known)
        let bytes = Array(text.utf8)
        var result = ""
        var done = 0
        func literal(upTo end: Int) -> String {
            String(decoding: bytes[done..<max(done, end)], as: UTF8.self).replacing("${", with: "$${").replacing(
                "\0", with: "")
        }
        for place in found {
            guard place.bytes.lowerBound >= done, let target = names.services[place.service] else { continue }
            let reference = reference(place, target, bytes, ports[target]?.first)
            var before = literal(upTo: place.bytes.lowerBound)
            switch reference {
            case .url:
                before.removeLast("http://".count)
                result += before + "${services.\(target).url}"
                done = place.portBytes?.upperBound ?? place.bytes.upperBound
            case .address:
                result += before + "${services.\(target).address}"
                done = place.portBytes?.upperBound ?? place.bytes.upperBound
            default:
                result += before + target
                done = place.bytes.upperBound
            }
        }
        if !found.isEmpty {
            let targets = Set(found.compactMap { names.services[$0.service] }).subtracting([name]).sorted()
            if !targets.isEmpty {
                changed(
                    "environment.\(variable.key)", "it refers to \(targets.joined(separator: ", "))",
                    at: variable.location)
            }
        }
        return result + literal(upTo: bytes.count)
    }

    /// What can stand for an address: only the first port of a service has one; `nil` leaves the name as a literal.
    private func reference(
        _ place: LiteralAddresses.Occurrence, _ target: String, _ bytes: [UInt8], _ first: Port?
    ) -> Template.ServiceAttribute? {
        guard target != name, let first else { return nil }
        let before = bytes[..<place.bytes.lowerBound]
        var number = place.port
        if number == nil {
            let text = String(decoding: before.suffix(300), as: UTF8.self)
            guard let end = text.ranges(of: "://").last?.lowerBound else { return nil }
            let scheme = text[..<end].reversed().prefix { $0.isASCII && ($0.isLetter || $0.isNumber) }.reversed()
            number = WellKnownPorts.port(ofScheme: String(scheme))
        }
        guard number == first.number else { return nil }
        let isPlainHTTP = before.suffix(7).elementsEqual("http://".utf8) && first.transport == .http
        return isPlainHTTP ? .url : .address
    }
}

extension ServiceChecker {
    func readEnvironment(_ draft: inout ServiceDraft) {
        let hint = "write a map: {NAME: value}"
        guard let values = fields.textMap("env", hint: hint) else { return }
        draft.spec.env = values
        for entry in fields.value("env")?.entries ?? [] {
            checkVariable(entry.key, at: entry.location)
            guard let text = values[entry.key] else { continue }
            let place = "env.\(shortened(entry.key))"
            let (template, problems) = Template.parse(text)
            for problem in problems {
                findings.error(problem.code, problem.message, at: entry.value.location, hint: problem.hint)
            }
            for reference in template.references {
                switch reference {
                case .service(let name, _):
                    mention(name, .reference, entry.value.location, place, &draft)
                case .secret(let name): draft.secretReferences.append((name, entry.value.location))
                case .environmentID, .overlayID: break
                }
            }
            readLiterals(template, entry, place, &draft)
        }
        draft.spec.literalServices = draft.literals.sorted()
    }

    private func readLiterals(
        _ template: Template, _ entry: LocatedValue.Entry, _ place: String, _ draft: inout ServiceDraft
    ) {
        for case .literal(let text) in template.segments {
            let key = template.segments.count == 1 ? entry.key : nil
            let found = LiteralAddresses.occurrences(in: text, key: key, among: services)
            // In one order, each once, however often it stands there.
            let hasPort = Dictionary(found.map { ($0.service, $0.port != nil) }) { $0 || $1 }
            for (name, hasPort) in hasPort.sorted(by: { $0.key < $1.key }) where name != draft.spec.name {
                mention(name, .inferred, entry.value.location, place, &draft)
                draft.literals.insert(name)
                guard fields.has("command") else { continue }
                findings.warning(
                    "literal_address",
                    "`\(fields.path).\(place)` names the service `\(name)`, which a local process cannot resolve",
                    at: entry.value.location,
                    hint: hasPort
                        ? "use ${services.\(name).address} instead of `\(name):<port>`"
                        : "use ${services.\(name).host} and ${services.\(name).port}, or .address for both")
            }
        }
    }

    private func mention(
        _ service: String, _ origin: DependencySpec.Origin, _ location: SourceLocation, _ place: String,
        _ draft: inout ServiceDraft
    ) {
        draft.mentions.append(
            .init(service: service, condition: .healthy, origin: origin, location: location, place: place))
    }

    private func checkVariable(_ name: String, at location: SourceLocation) {
        let isGood = !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x3D && $0 != 0x7F }
        guard !isGood else { return }
        findings.error(
            "invalid_name", "`\(shortened(name))` is no name for a variable", at: location,
            hint: "letters, digits and `_`")
    }

    func readSecrets(_ draft: inout ServiceDraft) {
        for (index, item) in (fields.list("secrets") ?? []).enumerated() {
            let path = "\(fields.path).secrets.\(item.name.map(shortened) ?? "\(index)")"
            guard let secret = Fields(item, path, known: Grammar.secret.keys, findings) else {
                continue
            }
            for key in ["name", "envKey", "value"] where !secret.has(key) && !isPartial { secret.missing(key) }
            guard let name = secret.text("name") else { continue }
            let isGood = !name.isEmpty && name.utf8.count <= 63 && name.utf8.allSatisfy(Self.isSecretName)
            if !isGood {
                findings.error(
                    "invalid_name",
                    "the secret `\(shortened(name))` needs a name of up to 63 letters, digits, `-` and `_`",
                    at: secret.at("name"))
            }
            guard let envKey = secret.text("envKey"), let source = source(secret) else { continue }
            checkVariable(envKey, at: secret.at("envKey"))
            if draft.spec.env[envKey] != nil || draft.spec.secrets.contains(where: { $0.envKey == envKey }) {
                findings.error(
                    "duplicate_variable", "`\(shortened(envKey))` is already set by `env` or another secret",
                    at: secret.at("envKey"))
            }
            draft.spec.secrets.append(SecretSpec(name: name, envKey: envKey, source: source))
            draft.secretLocations[name] = secret.at("value")
        }
        draft.spec.secrets.sort { $0.name < $1.name }
    }

    private func source(_ secret: Fields) -> SecretSpec.Source? {
        guard let value = secret.value("value") else { return nil }
        guard case .mapping(let entries) = value.content else {
            return secret.text("value").map { $0 == "auto-generated" ? .autoGenerated : .literal($0) }
        }
        guard let map = Fields(value, secret.name("value"), known: Grammar.secretSource.keys, findings) else {
            return nil
        }
        guard entries.count == 1 else {
            findings.error(
                "one_of", "`\(map.path)` needs one of `fromEnv` and `fromFile`", at: value.location,
                hint: entries.count > 1 ? "in an overlay, `\(entries[0].key): null` removes the parent's" : nil)
            return nil
        }
        if let name = map.nonEmptyText("fromEnv") { return .fromEnv(name) }
        return map.nonEmptyText("fromFile").map {
            .fromFile(FilePath.absolute($0, in: map.at("fromFile").file.folder))
        }
    }

    private static func isSecretName(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: true
        default: false
        }
    }

    func readDependencies(_ draft: inout ServiceDraft) {
        var lines: [String: Int] = [:]
        let hint = "write a list: [db] or [{service: db, condition: started}]"
        for (index, item) in (fields.list("dependsOn", hint: hint) ?? []).enumerated() {
            guard let (mention, location) = dependency(item, "\(fields.path).dependsOn[\(index)]") else { continue }
            if let line = lines[mention.service] {
                findings.error(
                    "duplicate_name", "`\(shortened(mention.service))` is listed twice; first in line \(line)",
                    at: location)
                continue
            }
            lines[mention.service] = location.line
            draft.mentions.append(mention)
        }
    }

    private func dependency(_ item: LocatedValue, _ path: String) -> (ServiceDraft.Mention, SourceLocation)? {
        var condition = DependencySpec.Condition.healthy
        var place = item
        if case .mapping = item.content {
            guard let map = Fields(item, path, known: Grammar.dependency.keys, findings) else { return nil }
            guard let service = map.value("service") else {
                map.missing("service")
                return nil
            }
            condition = map.choice("condition") ?? .healthy
            place = service
        }
        guard let name = fields.text(place, path) else { return nil }
        let mention = ServiceDraft.Mention(
            service: name, condition: condition, origin: .declared, location: place.location, place: "dependsOn")
        return (mention, place.location)
    }
}

/// Reads one service of the composed tree into normal form.
struct ServiceChecker {
    let fields: Fields
    let findings: Findings
    /// The rest of the service is in a parent that is not at hand.
    let isPartial: Bool
    /// The names of all services of the Blueprint.
    let services: Set<String>

    init?(
        _ value: LocatedValue, number: Int, services: Set<String>, isPartial: Bool, _ findings: Findings
    ) {
        let path = "services." + (value.name.map(shortened) ?? "\(number)")
        guard let fields = Fields(value, path, known: Grammar.service.keys, findings) else { return nil }
        self.fields = fields
        self.findings = findings
        self.isPartial = isPartial
        self.services = services
    }

    /// What can be read; the rest is reported.
    func draft() -> ServiceDraft? {
        guard fields.has("name") else {
            fields.missing("name")
            return nil
        }
        guard let name = fields.text("name") else { return nil }
        _ = NameRule.check(name, "service name", at: fields.at("name"), findings)
        _ = fields.boolean("remove")
        var draft = ServiceDraft(spec: ServiceSpec(name: name), location: fields.at("name"))
        checkProgram(&draft)
        draft.spec.replicas = fields.integer("replicas", in: 0...100) ?? 1
        readPorts(&draft)
        draft.spec.activation = fields.choice("activation") ?? .auto
        if draft.spec.isOnDemand, draft.spec.ports.isEmpty, !isPartial {
            findings.error(
                "missing_field", "`\(fields.path)` is started on demand, but has no `ports` to ask it at",
                at: fields.at("activation"), hint: "ports: [\"8080\"]")
        }
        readEnvironment(&draft)
        readSecrets(&draft)
        draft.spec.expose = fields.boolean("expose") ?? false
        if draft.spec.expose, draft.spec.ports.isEmpty, !isPartial {
            findings.error(
                "missing_field", "`\(fields.path)` is exposed, but has no `ports`", at: fields.at("expose"),
                hint: "ports: [\"8080\"]")
        }
        readDependencies(&draft)
        draft.spec.volumes = readVolumes()
        if draft.spec.replicas > 1, let volume = draft.spec.volumes.first(where: { $0.kind != .ephemeral }) {
            findings.error(
                "shared_volume",
                "`\(fields.path)` keeps data in its volume `\(volume.name)`, which \(draft.spec.replicas) copies cannot share",
                at: fields.at("replicas"), hint: "replicas: 1, or `type: ephemeral`")
        }
        draft.spec.probes = readProbes(draft.spec)
        draft.spec.initialisers = readInitialisers(draft.spec)
        draft.spec.restart = fields.choice("restart") ?? .always
        draft.spec.stopSignal = readSignal() ?? "SIGTERM"
        draft.spec.stopGraceSeconds = fields.number("stopGraceSeconds", in: 0...3600) ?? 10
        readPromises(&draft.spec)
        UnbuiltFields(findings: findings).check(service: fields)
        return draft
    }

    /// What it holds, what it promises, and whose data it has.
    private func readPromises(_ spec: inout ServiceSpec) {
        let claims = fields.texts("claims") ?? []
        for (index, claim) in claims.enumerated() where claim.isEmpty || claim.contains(where: \.isWhitespace) {
            findings.error(
                "invalid_text", "`\(fields.name("claims"))[\(index)]` must be a word", at: fields.at("claims"),
                hint: "such as queue:orders")
        }
        spec.claims = Set(claims).sorted()
        if let path = fields.nonEmptyText("contract") {
            spec.contract = FilePath.absolute(path, in: fields.at("contract").file.folder)
        }
        spec.data = fields.choice("data") ?? .inherit
    }

    /// What runs: one of `image`, `command`, `mock`.
    private func checkProgram(_ draft: inout ServiceDraft) {
        let programs = fields.map.entries.filter { ["image", "command", "mock"].contains($0.key) }
        let written = programs.map(\.key)
        if written.count > 1, let second = programs.last {
            findings.error(
                "one_of",
                "`\(fields.path)` has \(written.map { "`\($0)`" }.joined(separator: " and ")); only one of them runs",
                at: second.location, hint: "remove one; in an overlay, `\(written[0]): null` removes the parent's")
        }
        if written.isEmpty, !isPartial {
            let name = draft.spec.name
            let meant = NearMiss.nearest(name, among: services.subtracting([name]).sorted())
            findings.error(
                "one_of", "`\(fields.path)` has no `command`", at: draft.location,
                hint: meant.map { "did you mean the service `\($0)`?" } ?? "command: [./\(shortened(name))]")
        }
        draft.spec.image = readImage()
        draft.spec.command = fields.arguments("command") ?? []
        draft.spec.args = fields.texts("args", hint: "write a list: [--flag, value]") ?? []
        draft.spec.build = fields.has("build") ? fields.arguments("build") ?? [] : []
        draft.spec.user = readUser()
        draft.spec.workdir = readWorkdir()
        warnOfReferences(["command", "args", "build"])
    }

    private func readImage() -> String? {
        guard let image = fields.nonEmptyText("image") else { return nil }
        guard image.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            findings.error("invalid_text", "`\(fields.name("image"))` is no image reference", at: fields.at("image"))
            return nil
        }
        return image
    }

    private func readUser() -> String? {
        guard let user = fields.nonEmptyText("user") else { return nil }
        guard user.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x3A && $0 != 0x2F }) else {
            findings.error(
                "invalid_text", "`\(fields.name("user"))` must be a user's name or number", at: fields.at("user"))
            return nil
        }
        return user
    }

    /// The folder of the file that says `workdir`, else of the one that says `command`, is what counts.
    private func readWorkdir() -> String {
        if let path = fields.nonEmptyText("workdir") {
            return FilePath.absolute(path, in: fields.at("workdir").file.folder)
        }
        let source = fields.value("command")?.location ?? fields.map.location
        return FilePath.absolute(".", in: source.file.folder)
    }

    private func warnOfReferences(_ keys: [String]) {
        for key in keys {
            for item in fields.value(key)?.items ?? [] {
                guard let text = item.text, !Template(parsing: text).references.isEmpty else { continue }
                findings.warning(
                    "unexpanded_reference",
                    "`\(fields.name(key))` is not searched for references; `\(shortened(text))` stays",
                    at: item.location, hint: "put it into `env` and use the variable")
            }
        }
    }

    private func readSignal() -> String? {
        guard let text = fields.text("stopSignal") else { return nil }
        if let signal = ValueText.signal(text) { return signal }
        let all = ["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGKILL"]
        findings.error(
            "invalid_signal", "`\(shortened(text))` is no signal that ends a program", at: fields.at("stopSignal"),
            hint: NearMiss.hint(text.uppercased(), among: all) ?? "one of \(Fields.alternatives(all))")
        return nil
    }

    private func readVolumes() -> [VolumeSpec] {
        (fields.list("volumes") ?? []).enumerated().compactMap { index, item in
            let path = "\(fields.path).volumes.\(item.name.map(shortened) ?? "\(index)")"
            guard let volume = Fields(item, path, known: Grammar.volume.keys, findings) else { return nil }
            guard let name = volume.text("name"), let mountPath = volume.nonEmptyText("mountPath") else {
                for key in ["name", "mountPath"] where !volume.has(key) && !isPartial { volume.missing(key) }
                return nil
            }
            _ = NameRule.check(name, "volume name", at: volume.at("name"), findings)
            if mountPath.split(separator: "/").contains("..") {
                findings.error("invalid_path", "`\(volume.name("mountPath"))` has `..`", at: volume.at("mountPath"))
            }
            let kind = volume.choice("type", VolumeSpec.Kind.self) ?? .pvc
            let place =
                kind == .host ? FilePath.absolute(mountPath, in: volume.at("mountPath").file.folder) : mountPath
            return VolumeSpec(name: name, mountPath: place, kind: kind, size: size(volume))
        }.sorted { $0.name < $1.name }
    }

    private func size(_ volume: Fields) -> String? {
        guard let text = volume.text("size") else { return nil }
        guard let size = Quantity(text), size.thousandths > 0 else {
            findings.error(
                "invalid_quantity", "`\(shortened(text))` is no size", at: volume.at("size"),
                hint: "such as 512Mi or 10Gi")
            return nil
        }
        findings.warning(
            "size_not_enforced", "a local folder does not enforce `\(volume.name("size"))`", at: volume.at("size"))
        return size.normalForm
    }
}

/// Reads a composed tree into a ``BlueprintSpec``, collecting every problem.
struct BlueprintChecker {
    let findings: Findings
    /// What the command that creates the environment asks for; `nil` where the Blueprint alone decides.
    let mode: EnvironmentMode?
    /// The parent is not at hand, so what is missing may be there.
    let isPartial: Bool
    /// Services that this overlay removes, with the place where it does.
    let removed: [String: SourceLocation]
    /// How what is not built yet is reported.
    var unbuilt = Diagnostic.Severity.error

    /// The spec, as far as it could be read; it means something only where there are no errors.
    func check(_ root: LocatedValue) -> BlueprintSpec? {
        guard let fields = Fields(root, "", known: Grammar.root.keys, findings) else { return nil }
        if !fields.has("name") { fields.missing("name", hint: "name: shop") }
        let name = fields.text("name")
        if let name { _ = NameRule.check(name, "name", at: fields.at("name"), findings) }
        let description = fields.text("description")
        let labels = fields.textMap("labels") ?? [:]
        let runtime: RuntimeChoice = fields.choice("runtime") ?? .auto
        let repair: RepairPolicy = fields.choice("repair") ?? .auto
        let lifecycle = LifecycleChecker(findings: findings).check(fields)
        UnbuiltFields(findings: findings).check(root: fields)
        let routing = RoutingChecker(findings: findings, mode: mode).check(fields)
        var drafts = readServices(fields)
        if (mode ?? routing.mode) == .baseline { warnOfUnpinnedImages(drafts, fields) }
        ServiceRelations(findings: findings, isPartial: isPartial, removed: removed).check(&drafts)
        if (mode ?? routing.mode) == .overlay, let name {
            checkHostNames(drafts, routing.overlayId ?? name, fields)
        }
        Support(findings: findings, severity: unbuilt).check(root)
        var spec = BlueprintSpec(
            name: name ?? "", description: description, labels: labels, services: drafts.map(\.spec), routing: routing,
            runtime: runtime, repair: repair, lifecycle: lifecycle)
        spec.residency = readResidency(fields)
        if let mode { spec.routing.mode = mode }
        if spec.routing.mode == .overlay, spec.routing.overlayId == nil { spec.routing.overlayId = spec.name }
        return spec
    }

    private func readResidency(_ root: Fields) -> ResidencySpec? {
        guard let fields = root.fields("residency", known: Grammar.residency.keys) else { return nil }
        let (allow, deny) = (fields.texts("allow") ?? [], fields.texts("deny") ?? [])
        for region in Set(allow).intersection(deny).sorted() {
            findings.error(
                "contradiction", "the region `\(shortened(region))` is both allowed and denied", at: fields.at("deny"),
                hint: "take it out of one of the lists")
        }
        if fields.has("allow"), allow.isEmpty {
            findings.error(
                "contradiction", "`residency.allow` is empty, so it may run nowhere", at: fields.at("allow"),
                hint: "name a region, or leave it out")
        }
        return allow.isEmpty && deny.isEmpty ? nil : ResidencySpec(allow: allow, deny: deny)
    }

    private func readServices(_ fields: Fields) -> [ServiceDraft] {
        let hint = "write a list of services, or a map of services by name"
        guard fields.has("services") else {
            if !isPartial { fields.missing("services", hint: hint) }
            return []
        }
        guard let items = fields.list("services", hint: hint) else { return [] }
        if items.isEmpty, !isPartial {
            findings.error("missing_field", "there are no services", at: fields.at("services"))
        }
        let names = Set(items.compactMap(\.name)).union(removed.keys)
        return items.enumerated().compactMap { index, item in
            ServiceChecker(item, number: index, services: names, isPartial: isPartial, findings)?.draft()
        }
    }

    /// `<service>--<overlayId>` is a label of an exposed service's host name. As names have up to 63 bytes, nothing else
    /// is too long: neither `<service>`, nor `<label>.<environment>.localhost` with its 253.
    private func checkHostNames(_ drafts: [ServiceDraft], _ overlayId: String, _ fields: Fields) {
        guard NameRule.problem(overlayId) == nil else { return }
        for draft in drafts where draft.spec.expose && NameRule.problem(draft.spec.name) == nil {
            let label = "\(draft.spec.name)--\(overlayId)"
            guard label.utf8.count > NameRule.maxBytes else { continue }
            let left = NameRule.maxBytes - 2 - draft.spec.name.utf8.count
            findings.error(
                "host_name_too_long",
                "`\(label)`, which begins a host name, has \(label.utf8.count) of \(NameRule.maxBytes) bytes",
                at: fields.value("routing")?["overlayId"]?.location ?? fields.at("name"),
                hint: left > 0
                    ? "write a `routing.overlayId` of up to \(left) bytes"
                    : "do not expose `\(draft.spec.name)`, or give it a shorter name")
        }
    }

    private func warnOfUnpinnedImages(_ drafts: [ServiceDraft], _ fields: Fields) {
        for draft in drafts {
            guard let image = draft.spec.image, !image.contains("@") else { continue }
            let tag = image.split(separator: "/").last?.split(separator: ":").dropFirst().last
            guard tag == nil || tag == "latest" else { continue }
            let service = fields.value("services")?.items.first { $0.name == draft.spec.name }
            findings.warning(
                "unpinned_image", "`\(shortened(image))` can be another image tomorrow",
                at: service?["image"]?.location ?? draft.location, hint: "write a tag or a digest")
        }
    }
}

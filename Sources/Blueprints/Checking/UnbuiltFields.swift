/// Checks the types of the fields whose features are not built, so that a Blueprint's mistakes are all shown at once.
/// That they are not built says ``Support``.
struct UnbuiltFields {
    let findings: Findings

    func check(root: Fields) {
        _ = root.texts("seeds")
        for (index, item) in (root.list("uses") ?? []).enumerated() {
            guard let use = Fields(item, "uses[\(index)]", known: Grammar.use.keys, findings) else { continue }
            for key in ["service", "from"] {
                if use.has(key) { _ = use.nonEmptyText(key) } else { use.missing(key) }
            }
        }
        checkPlans(root)
        if let snapshot = root.value("snapshot"), case .mapping = snapshot.content {
        } else if let snapshot = root.value("snapshot") {
            root.wrongType(snapshot, "`snapshot`", "a map")
        }
    }

    private func checkPlans(_ root: Fields) {
        guard let plans = root.value("plans") else { return }
        guard case .mapping(let profiles) = plans.content else { return root.wrongType(plans, "`plans`", "a map") }
        for profile in profiles {
            let path = "plans.\(shortened(profile.key))"
            guard let plan = Fields(profile.value, path, known: Grammar.plan.keys, findings),
                let services = plan.value("services")
            else { continue }
            guard case .mapping(let entries) = services.content else {
                plan.wrongType(services, "`\(path).services`", "a map")
                continue
            }
            for entry in entries {
                let name = "\(path).services.\(shortened(entry.key))"
                guard let service = Fields(entry.value, name, known: Grammar.planService.keys, findings) else {
                    continue
                }
                _ = service.integer("replicas", in: 0...100)
                _ = service.textMap("env")
                checkResources(service)
            }
        }
    }

    func check(service: Fields) {
        checkResources(service)
        guard let mock = service.fields("mock", known: Grammar.mock.keys) else { return }
        _ = mock.boolean("enabled")
        _ = mock.choice("mode", ["static", "stateful", "ai-stateful", "recorded"])
        _ = mock.nonEmptyText("openapi")
        _ = mock.fields("deployment", known: Grammar.mockDeployment.keys)?.choice(
            "mode", ["replace", "sidecar", "mirror"])
    }

    private func checkResources(_ owner: Fields) {
        guard let resources = owner.fields("resources", known: Grammar.resources.keys) else { return }
        checkQuantities(resources)
        for key in ["requests", "limits"] {
            if let map = resources.fields(key, known: Grammar.quantities.map(\.name)) { checkQuantities(map) }
        }
    }

    private func checkQuantities(_ map: Fields) {
        for key in ["cpu", "memory"] {
            guard let text = map.text(key), Quantity(text) == nil else { continue }
            findings.error(
                "invalid_quantity", "`\(map.name(key))`: `\(shortened(text))` is no quantity", at: map.at(key),
                hint: key == "cpu" ? "such as 500m or 2" : "such as 512Mi or 1Gi")
        }
    }
}

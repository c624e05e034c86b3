using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Write.Connectors;
using Sentiric.Write.Tests.Kit;

namespace Sentiric.Write.Tests.Connectors;

internal static class Calendars
{
    public static Dictionary<string, string> Settings { get; } = new()
    {
        ["open_from"] = "09:00", ["open_to"] = "18:00", ["slot_minutes"] = "30", ["time_zone"] = "Europe/Istanbul", ["open_days"] = "mon-sat", ["language"] = "tr",
    };

    public static async Task<World> OpenAsync()
    {
        var world = await World.WithTenantsAsync();
        await world.DoAsync(new RegisterConnector("takvim", ConnectorKind.Calendar, Settings));
        return world;
    }

    public static ValueTask<Result<ConnectorOutcome>> DoAsync(this World world, string action, string key, params (string Name, string Value)[] parameters) =>
        world.Connectors.ExecuteAsync(
            new ExecuteConnector(World.Demo, "takvim", action, parameters.ToDictionary(p => p.Name, p => p.Value), key, CallId: null), default);

    public static ValueTask<Result<ConnectorOutcome>> BookAsync(this World world, string day, string time, string key = "k1", string name = "Ayşe Yılmaz") =>
        world.DoAsync("book", key, ("day", day), ("time", time), ("name", name), ("contact", "+905321112233"));
}

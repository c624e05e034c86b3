using System.Text.Json;
using Sentiric.Contracts;

namespace Sentiric.Cli.Commands;

/// <summary>Paths with their query.</summary>
internal static class Query
{
    public static string Path(string path, params (string Name, string? Value)[] values)
    {
        var given = values.Where(v => v.Value is not null).Select(v => $"{v.Name}={Uri.EscapeDataString(v.Value ?? "")}").ToList();
        return given.Count == 0 ? path : $"{path}?{string.Join('&', given)}";
    }

    public static async Task<int> PrintJsonAsync(this Session session, string path, CancellationToken ct)
    {
        session.Terminal.Line(await session.Api.GetTextAsync(path, ct));
        return Cli.Ok;
    }

    /// <summary>The same for an answer that was read already.</summary>
    public static int PrintJson<T>(this Session session, T answer)
    {
        session.Terminal.Line(JsonSerializer.Serialize(answer, Wire.Json));
        return Cli.Ok;
    }
}

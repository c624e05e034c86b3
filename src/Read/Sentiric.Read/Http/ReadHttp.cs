using System.Globalization;
using Microsoft.AspNetCore.Http;
using Sentiric.Contracts;

namespace Sentiric.Read.Http;

/// <summary>How a question comes in and its answer goes out.</summary>
internal static class ReadHttp
{
    public static IResult Json<T>(T value) => Results.Json(value, Wire.Json);

    public static IResult Problem(string code, string why)
    {
        var body = Problems.Of(new Refusal(code, why));
        return Results.Json(body, Wire.Json, Problems.ContentType, body.Status);
    }

    /// <summary>Asks for the tenant of the request, that the host's key check left there.</summary>
    public static async Task<IResult> ForTenantAsync(HttpContext http, Func<string, Task<IResult>> answer) =>
        http.Items["tenant"] is string { Length: > 0 } tenant
            ? await answer(tenant)
            : Problem("auth.missing_tenant", "The request carries no API key of a tenant.");

    /// <summary>How many rows a page has: the wish within 1..<see cref="Tables.MaxRows"/>, 50 without one.</summary>
    public static int PageSize(int? wish) => Math.Clamp(wish ?? 50, 1, Tables.MaxRows);

    public static string Cursor(DateTimeOffset at, Guid id) => $"{at.UtcTicks.ToString(CultureInfo.InvariantCulture)}_{id:N}";

    public static (DateTimeOffset At, Guid Id)? ReadCursor(string? cursor)
    {
        var parts = cursor?.Split('_') ?? [];
        return parts.Length == 2 && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
            && ticks <= DateTimeOffset.MaxValue.UtcTicks && Guid.TryParseExact(parts[1], "N", out var id)
            ? (new DateTimeOffset(ticks, TimeSpan.Zero), id)
            : null;
    }
}

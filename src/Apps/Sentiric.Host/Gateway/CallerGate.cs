using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Threading.RateLimiting;
using Sentiric.Contracts;
using Sentiric.Host.Ports;
using Sentiric.Host.Settings;

namespace Sentiric.Host.Gateway;

/// <summary>
/// The one door of the API: everything under /v1 needs an API key or a console session, everything under /internal the secret of the roles.
/// Puts the tenant and the actor where the endpoints look for them.
/// </summary>
public sealed class CallerGate(RequestDelegate next, HostSettings settings, ApiKeys keys)
{
    public const string Cookie = "sentiric_session";
    public const string TenantItem = "tenant";
    public const string ActorItem = "actor";
    private const string SessionPath = "/v1/session";
    private const string EventsPath = "/v1/events";
    private const string PushPath = "/v1/events/stream";
    // To read a stream is its tenant's own affair; to shorten or close one is not.
    private static readonly PathString[] OfThePlatform = ["/v1/tenants", "/v1/projections", "/v1/events/streams"];

    // Sizes, rates, imports, files and keys are of the whole store, whoever's events they are; trunks carry everybody's calls.
    private static readonly PathString[] OfAll = ["/v1/events/stats", "/v1/events/import", "/v1/events/files", "/v1/events/audit/verify", "/v1/erasures/master-key", "/v1/trunks"];
    private static readonly TimeSpan LimitWindow = TimeSpan.FromMinutes(1);

    private readonly PartitionedRateLimiter<string> _limits = PartitionedRateLimiter.Create<string, string>(key => RateLimitPartition.GetFixedWindowLimiter(
        key, _ => new FixedWindowRateLimiterOptions { PermitLimit = settings.RequestsPerMinute, Window = LimitWindow }));

    private readonly byte[]? _serviceKey = settings.ServiceKey is { } key ? Encoding.UTF8.GetBytes(key) : null;

    public Task InvokeAsync(HttpContext http)
    {
        var path = http.Request.Path;
        // Routing takes /V1 for /v1, so the gate does too.
        var inside = path.StartsWithSegments(PortHttp.Prefix, StringComparison.OrdinalIgnoreCase);
        if (!inside && !path.StartsWithSegments("/v1", StringComparison.OrdinalIgnoreCase))
        {
            return next(http);
        }

        if (IsOtherRole(http.Request))
        {
            http.Items[TenantItem] = http.Request.Headers[PortHttp.TenantHeader].FirstOrDefault();
            http.Items[ActorItem] = http.Request.Headers[PortHttp.ActorHeader].FirstOrDefault() ?? "service";
            return next(http);
        }

        return inside || !settings.Roles.Has(Role.Gateway) || path == SessionPath ? Insider(http, path) : Outsider(http);
    }

    private Task Insider(HttpContext http, PathString path) => path == SessionPath && settings.Roles.Has(Role.Gateway)
        ? next(http)
        : Problem.WriteAsync(http, new Refusal("auth.service_key_needed", "This path is for the platform's own roles; the service key is missing or wrong."), 401);

    private Task Outsider(HttpContext http)
    {
        if (Present(http.Request) is not { } key)
        {
            return Problem.WriteAsync(http, new Refusal("auth.key_needed", "No API key that is known here came with the request. Send it as 'Authorization: Bearer <key>' or 'X-Api-Key: <key>'."), 401);
        }

        using var lease = _limits.AttemptAcquire(key.Name);
        if (!lease.IsAcquired)
        {
            http.Response.Headers.RetryAfter = LimitWindow.TotalSeconds.ToString(CultureInfo.InvariantCulture);
            return Problem.WriteAsync(http, new Refusal("request.too_many", $"The key '{key.Name}' may ask {settings.RequestsPerMinute} times a minute."), 429);
        }

        // No text of ours holds a NUL and PostgreSQL takes none, whatever it was meant for.
        if (http.Request.QueryString.Value?.Contains("%00", StringComparison.Ordinal) == true)
        {
            return Problem.WriteAsync(http, new Refusal("request.invalid", "A parameter holds a NUL character (%00)."), 400);
        }

        var asked = http.Request.Headers["X-Tenant"].FirstOrDefault() ?? http.Request.Query["tenant"].FirstOrDefault();
        if (Forbidden(http.Request, key, asked) is { } refusal)
        {
            return Problem.WriteAsync(http, refusal, 403);
        }

        http.Items[TenantItem] = key.Tenant ?? asked ?? settings.DefaultTenant;
        http.Items[ActorItem] = "key:" + key.Name;
        return next(http);
    }

    private static Refusal? Forbidden(HttpRequest request, ApiKey key, string? askedTenant)
    {
        var changes = !HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method);
        return key switch
        {
            { Scope: KeyScope.Read } when changes => new("auth.read_only_key", $"The key '{key.Name}' may only read; this request changes something."),
            { Scope: KeyScope.Read } when IsLog(request.Path) => new("auth.admin_only", $"The key '{key.Name}' may only read; the log itself is for admin keys."),
            { Scope: KeyScope.Read } when IsEar(request.Path) => new("auth.admin_only", $"The key '{key.Name}' may only read; to hear a live call is for admin keys."),
            { Tenant: { } own } when IsParked(request.Path) || OfAll.Any(p => request.Path.StartsWithSegments(p, StringComparison.OrdinalIgnoreCase)) =>
                new("auth.platform_only", $"The key '{key.Name}' works on tenant '{own}' only; this request is about the platform."),
            { Tenant: { } own } when askedTenant is not null && askedTenant != own => new("auth.other_tenant", $"The key '{key.Name}' works on tenant '{own}' only."),
            { Tenant: { } own } when changes && OfThePlatform.Any(p => request.Path.StartsWithSegments(p, StringComparison.OrdinalIgnoreCase)) =>
                new("auth.platform_only", $"The key '{key.Name}' works on tenant '{own}' only; this request is about the platform."),
            _ => null,
        };
    }

    // A WebSocket begins as a GET, but a voice is more than a record of it.
    private static bool IsEar(PathString path) => path.Value is { } text
        && ((path.StartsWithSegments("/v1/calls", StringComparison.OrdinalIgnoreCase) && text.TrimEnd('/').EndsWith("/listen", StringComparison.OrdinalIgnoreCase))
            || (path.StartsWithSegments("/v1/media/sessions", StringComparison.OrdinalIgnoreCase) && text.TrimEnd('/').EndsWith("/audio", StringComparison.OrdinalIgnoreCase)));

    // The push channel is what the console lives on; everything else under /v1/events shows the log as it is stored.
    private static bool IsLog(PathString path) => IsParked(path)
        || (path.StartsWithSegments(EventsPath, StringComparison.OrdinalIgnoreCase) && !path.StartsWithSegments(PushPath, StringComparison.OrdinalIgnoreCase));

    // What could not be handled is of every tenant, and error messages may quote it.
    private static bool IsParked(PathString path) =>
        path.StartsWithSegments("/v1/projections", StringComparison.OrdinalIgnoreCase, out var rest) && rest.Value?.Contains("/parked", StringComparison.OrdinalIgnoreCase) == true;

    private ApiKey? Present(HttpRequest request)
    {
        var bearer = request.Headers.Authorization.FirstOrDefault();
        var presented = bearer?.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) == true
            ? bearer["Bearer ".Length..].Trim()
            : request.Headers["X-Api-Key"].FirstOrDefault();
        return presented is not null ? keys.Find(presented) : request.Cookies[Cookie] is { } cookie ? keys.FindSession(cookie) : null;
    }

    private bool IsOtherRole(HttpRequest request) =>
        _serviceKey is not null && request.Headers[PortHttp.KeyHeader].FirstOrDefault() is { } shown
        && CryptographicOperations.FixedTimeEquals(_serviceKey, Encoding.UTF8.GetBytes(shown));
}

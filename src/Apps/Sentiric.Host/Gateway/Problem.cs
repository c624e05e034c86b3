using Microsoft.AspNetCore.Diagnostics;
using Npgsql;
using Sentiric.Contracts;
using Sentiric.EventStore;
using Sentiric.Host.Ports;

namespace Sentiric.Host.Gateway;

/// <summary>RFC 9457 problem documents of the host itself. Every error of the API is one, with a stable <c>code</c>.</summary>
public static partial class Problem
{
    private const string ContentType = Problems.ContentType;

    /// <summary>Every error becomes a problem. What it is worth in the log is decided here: a client's mistake is no failure of the platform.</summary>
    public static void UseProblems(this IApplicationBuilder app)
    {
        app.UseExceptionHandler(new ExceptionHandlerOptions { ExceptionHandler = WriteExceptionAsync, SuppressDiagnosticsCallback = _ => true });
        app.UseStatusCodePages(WriteStatusAsync);
    }

    public static Task WriteAsync(HttpContext http, Refusal refusal, int status)
    {
        http.Response.StatusCode = status;
        return http.Response.WriteAsJsonAsync(
            new ProblemDocument(Problems.Of(refusal).Type, Title(status), status, refusal.Why, refusal.Code, http.TraceIdentifier),
            Wire.Json, ContentType, http.RequestAborted);
    }

    /// <summary>What is left when an endpoint throws: malformed JSON, a role or the store that is down, a bug. Never a stack trace.</summary>
    private static Task WriteExceptionAsync(HttpContext http)
    {
        var failed = http.Features.Get<IExceptionHandlerFeature>();
        var logger = http.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(Problem));
        var route = failed?.Endpoint?.DisplayName ?? http.Request.Method;
        switch (failed?.Error)
        {
            case BadHttpRequestException e:
                return WriteAsync(http, new(CodeOf(e.StatusCode), Innermost(e)), e.StatusCode);
            case { } e when AwayOf(e) is { } away:
                LogAway(logger, route, away.Code, Innermost(e));
                return WriteAsync(http, away, StatusCodes.Status503ServiceUnavailable);
            default:
                LogFailed(logger, failed?.Error, route, http.TraceIdentifier);
                return WriteAsync(http, new("server.error", $"The platform failed; its log tells more under the trace id {http.TraceIdentifier}."), StatusCodes.Status500InternalServerError);
        }
    }

    /// <summary>Null for what is no absence of something behind us.</summary>
    private static Refusal? AwayOf(Exception e) => e switch
    {
        ServiceUnavailableException => new("service.unavailable", e.Message),
        EventStoreUnavailableException => new("store.unavailable", e.Message),
        NpgsqlException { IsTransient: true } or PostgresException { SqlState: PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown } =>
            new("store.unavailable", "PostgreSQL cannot answer now; /health/ready tells more. Send it again when it does."),
        _ => null,
    };

    /// <summary>What routing refuses without a body (no such path, no such method) becomes a problem too, under /v1.</summary>
    private static Task WriteStatusAsync(StatusCodeContext context)
    {
        var http = context.HttpContext;
        var status = http.Response.StatusCode;
        return http.Request.Path.StartsWithSegments("/v1", StringComparison.OrdinalIgnoreCase)
            ? WriteAsync(http, new(CodeOf(status), $"{http.Request.Method} {http.Request.Path}: {Title(status)}. /openapi/v1.json lists what the API takes."), status)
            : Task.CompletedTask;
    }

    private static string CodeOf(int status) => status switch
    {
        StatusCodes.Status404NotFound => "route.unknown_path",
        StatusCodes.Status405MethodNotAllowed => "route.method_not_allowed",
        StatusCodes.Status413PayloadTooLarge => "request.too_large",
        StatusCodes.Status415UnsupportedMediaType => "request.content_type",
        >= 500 => "server.error",
        _ => "request.invalid",
    };

    private static string Innermost(Exception e) => e.InnerException is { } inner ? Innermost(inner) : e.Message;

    private static string Title(int status) => Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(status);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Route} was answered with {Code}: {Why}")]
    private static partial void LogAway(ILogger logger, string route, string code, string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Route} failed; the client was told the trace id {TraceId}")]
    private static partial void LogFailed(ILogger logger, Exception? e, string route, string traceId);

    private sealed record ProblemDocument(string Type, string Title, int Status, string Detail, string Code, string TraceId);
}

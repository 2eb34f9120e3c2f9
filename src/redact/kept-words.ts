/**
 * Words of Envoy, Istio and Kubernetes that redaction keeps inside values, by where they come from. A word that is no
 * part of a grammar or of an analysis does not belong here: some namespace may be called by it.
 */
/** The words of a text, which stand in lines. */
export const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== "");

/** The grammar of Istio's names: clusters, SPIFFE identities, paths of resources, keys of policies, kinds in paths. */
export const grammar = words(`
  outbound inbound inbound-vip svc cluster local clusterset spiffe ns sa kubernetes apis apps batch networking
  namespaces pods services deployments replicasets statefulsets daemonsets jobs cronjobs replicationcontrollers
  deployment replicaset statefulset daemonset job cronjob pod policy rule configmap file-cert file-root
  kubernetes-gateway builtin unix istio-ext-authz-ns virtual-service destination-rule envoy-filter service-entry
  sidecar gateway authorization-policy peer-authentication request-authentication wasm-plugin proxy-config
  workload-entry workload-group telemetry http-route grpc-route tcp-route tls-route virtualservices
  destinationrules envoyfilters serviceentries sidecars gateways authorizationpolicies peerauthentications
  requestauthentications wasmplugins proxyconfigs workloadentries workloadgroups telemetries httproutes
  grpcroutes tcproutes tlsroutes gatewayclasses referencegrants configmaps secrets serviceaccounts direct-http
  direct-tcp local-http local-tcp istio-ext-authz deny-due-to-bad-CUSTOM-action
`);

/** What every mesh has, named by its makers. */
export const makersNames = words(`
  default istio-system kube-system kube-public kube-node-lease istio istiod istio-proxy istio-init
  istio-validation istio-ingressgateway istio-egressgateway istio-eastwestgateway
  istio-ingressgateway-service-account istio-egressgateway-service-account istio-reader-service-account
  istiod-service-account istio-ca-root-cert istio-ca-secret istio-pilot istio-policy istio-telemetry
  istio-galley istio-citadel istio-pilot-service-account istio-sidecar-injector istio-validator istio-token
  istio-envoy waypoint-envoy sni-dnat mgmt-15020 mgmtCluster ORIGINAL_DST_LB istio-cni istio-cni-node
  ingressgateway egressgateway eastwestgateway pilot pilot-discovery pilot-agent mixer citadel galley ztunnel
  router waypoint agentgateway mesh discovery envoy envoyproxy prometheus zipkin lightstep datadog skywalking
  opentelemetry kube-dns kube-proxy kubelet kubectl istioctl proxyv2 distroless agent encap backend blackhole
  sds-grpc sds-files-grpc xds-grpc tlsMode-istio tlsMode-disabled ROOTCA Kubernetes External Mock virtualInbound
  virtualOutbound virtual virtualInbound-blackhole virtualInbound-catchall-http virtualOutbound-blackhole
  virtualOutbound-catchall-tcp virtualOutbound-catchall-http BlackHoleCluster PassthroughCluster
  InboundPassthroughCluster InboundPassthroughClusterIpv4 InboundPassthroughClusterIpv6
  AllowAnyDynamicDNSCluster PassthroughFilterChain connect_terminate connect_originate inner_connect_originate
  outer_connect_originate forward_inner_connect main_internal prometheus_stats local_cluster
  envoy_metrics_service envoy_accesslog_service datadog_agent allow_any block_all allow_any_dynamic_dns
  http_proxy stats_inbound stats_outbound tcp_stats_inbound tcp_stats_outbound istio_authn istio_ext_authz
  istio_dry_run_allow istio_dry_run_deny anonymous_match_nothing metadata_exchange peer_metadata istio-authn
  jwt-auth status-port http-envoy-prom grpc-xds https-dns https-webhook http-monitoring dns-tcp dns http-metrics
  healthz ready readyz livez stats metrics quitquitquit app-health app-lifecycle
`);

/** Protocols, ALPN, TLS. */
export const protocols = words(`
  http https http1 http2 http3 h2 h2c h3 grpc grpc-web tcp tls mtls udp quic ws wss websocket connect mongo
  mysql redis hbone thrift dubbo istio-http istio-h2 istio-peer-exchange istio-mtls HTTP HTTPS TCP UDP TLS GRPC
  GRPC-Web HBONE Mongo MySQL Redis MYSQL MONGO UnsupportedProtocol SNI ALPN JWT DNS URI SPIFFE CN OU IPv4 IPv6
  TLSv1 TLSv1.2 TLSv1.3 CDS LDS EDS RDS SDS ECDS SRDS VHDS NDS PCDS WDS WADS ADS XDS xDS cds lds eds rds sds
  ecds srds vhds nds pcds wds ads ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-RSA-AES128-GCM-SHA256
  ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-RSA-AES256-GCM-SHA384 ECDHE-ECDSA-CHACHA20-POLY1305
  ECDHE-RSA-CHACHA20-POLY1305 ECDHE-ECDSA-AES128-SHA ECDHE-RSA-AES128-SHA ECDHE-ECDSA-AES256-SHA
  ECDHE-RSA-AES256-SHA AES128-GCM-SHA256 AES256-GCM-SHA384 AES128-SHA AES256-SHA P-256 P-384 P-521 X25519
  X25519MLKEM768
`);

/** What `retry_on` may say. */
export const retryWords = words(`
  5xx 4xx 3xx 2xx 1xx gateway-error reset reset-before-request connect-failure envoy-ratelimited retriable-4xx
  refused-stream retriable-status-codes retriable-headers http3-post-connect-failure cancelled deadline-exceeded
  internal resource-exhausted unavailable
`);

/** States and switches in lower case. */
export const states = words(`
  warning warn info debug error critical true false enabled disabled enable disable iss sub aud azp nbf iat jti
  null none on off yes no latest unknown uninitialized healthy unhealthy synced redacted inline allowed denied
  rbac Clean Modified Distribution RELEASE DEBUG BoringSSL BoringSSL-FIPS OpenSSL OSSM Healthy
`);

/** Headers with a meaning of their own: pseudo-headers, those of HTTP, and what Envoy, Istio and tracers add. */
export const headers = words(`
  host authority path method scheme status protocol accept accept-encoding accept-language authorization
  cache-control content-encoding content-length content-type cookie set-cookie forwarded if-match
  if-modified-since if-none-match keep-alive last-modified origin retry-after strict-transport-security
  transfer-encoding upgrade user-agent www-authenticate access-control-allow-credentials
  access-control-allow-headers access-control-allow-methods access-control-allow-origin
  access-control-expose-headers access-control-max-age access-control-request-headers
  access-control-request-method end-user x-api-key x-request-id x-forwarded-for x-forwarded-host
  x-forwarded-port x-forwarded-proto x-forwarded-client-cert x-forwarded-path x-real-ip x-frame-options
  x-content-type-options x-xss-protection x-powered-by x-client-trace-id x-ot-span-context x-b3-traceid
  x-b3-spanid x-b3-parentspanid x-b3-sampled x-b3-flags b3 traceparent tracestate baggage grpc-status
  grpc-message grpc-timeout grpc-trace-bin grpc-accept-encoding x-cloud-trace-context x-datadog-trace-id
  x-datadog-parent-id x-datadog-sampling-priority x-istio-attributes x-envoy-attempt-count
  x-envoy-decorator-operation x-envoy-downstream-service-cluster x-envoy-downstream-service-node
  x-envoy-expected-rq-timeout-ms x-envoy-external-address x-envoy-force-trace x-envoy-hedge-on-per-try-timeout
  x-envoy-immediate-health-check-fail x-envoy-internal x-envoy-ip-tags x-envoy-max-retries
  x-envoy-original-dst-host x-envoy-original-host x-envoy-original-method x-envoy-original-path
  x-envoy-overloaded x-envoy-peer-metadata x-envoy-peer-metadata-id x-envoy-ratelimited
  x-envoy-retriable-header-names x-envoy-retriable-status-codes x-envoy-retry-grpc-on x-envoy-retry-on
  x-envoy-upstream-alt-stat-name x-envoy-upstream-canary x-envoy-upstream-rq-per-try-timeout-ms
  x-envoy-upstream-rq-timeout-alt-response x-envoy-upstream-rq-timeout-ms x-envoy-upstream-service-time
`);

/** Envoy's command operators in formats of access logs. */
export const operators = words(`
  START_TIME START_TIME_LOCAL REQ RESP TRAILER REQUEST_HEADERS_BYTES RESPONSE_CODE RESPONSE_CODE_DETAILS
  RESPONSE_FLAGS RESPONSE_FLAGS_LONG CONNECTION_TERMINATION_DETAILS UPSTREAM_TRANSPORT_FAILURE_REASON
  BYTES_RECEIVED BYTES_SENT DURATION REQUEST_DURATION RESPONSE_DURATION RESPONSE_TX_DURATION UPSTREAM_HOST
  UPSTREAM_CLUSTER UPSTREAM_CLUSTER_RAW UPSTREAM_LOCAL_ADDRESS UPSTREAM_REMOTE_ADDRESS DOWNSTREAM_LOCAL_ADDRESS
  DOWNSTREAM_LOCAL_PORT DOWNSTREAM_REMOTE_ADDRESS DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS DOWNSTREAM_PEER_URI_SAN DOWNSTREAM_PEER_SUBJECT DOWNSTREAM_LOCAL_URI_SAN
  DOWNSTREAM_LOCAL_SUBJECT DOWNSTREAM_TLS_VERSION REQUESTED_SERVER_NAME ROUTE_NAME VIRTUAL_CLUSTER_NAME
  FILTER_CHAIN_NAME FILTER_STATE DYNAMIC_METADATA CLUSTER_METADATA UPSTREAM_METADATA PROTOCOL HOSTNAME
  LOCAL_REPLY_BODY CONNECTION_ID GRPC_STATUS METADATA CEL ENVIRONMENT METHOD PATH AUTHORITY
`);

/** Keys and flags of Envoy's `/clusters` and counters of its `/stats`. */
export const statistics = words(`
  cx_active cx_connect_fail cx_total rq_active rq_error rq_success rq_timeout rq_total health_flags sub_zone
  success_rate local_origin_success_rate observability_name added_via_api eds_service_name default_priority
  high_priority max_connections max_pending_requests max_requests max_retries success_rate_average
  success_rate_ejection_threshold local_origin_success_rate_average local_origin_success_rate_ejection_threshold
  failed_active_hc failed_outlier_check failed_eds_health degraded_active_hc degraded_eds_health
  pending_dynamic_removal pending_active_hc excluded_via_immediate_hc_fail active_hc_timeout eds_status_draining
  cluster_manager listener_manager control_plane connected_state rate_limit_enforced pending_requests
  active_clusters warming_clusters total_listeners_active total_listeners_draining total_listeners_warming
  listener_create_failure listener_added listener_modified listener_removed workers_started init_fetch_timeout
  version_text config_reload config_reload_time_ms shadow_allowed shadow_denied no_filter_chain_match
  total_connections server listener
`);

/** Whole values, and dotted names, that are the same everywhere. */
export const wholes = [
  ...words(
    "server.live server.state server.uptime server.concurrency server.version control_plane.identifier",
  ),
  ...words("application/json application/grpc application/grpc-web text/plain text/html <inline>"),
  ...words(`
    ./var/run/secrets/workload-spiffe-uds/socket ./var/run/secrets/credential-uds/socket ./etc/istio/proxy
    ./etc/istio/proxy/XDS ./etc/istio/proxy/SDS etc/istio/proxy/envoy-rev.json etc/istio/proxy/envoy-rev0.json
    /etc/istio/proxy/envoy-rev0.json /etc/istio/proxy /usr/local/bin/envoy /usr/local/bin/pilot-agent
    /var/lib/istio/data/envoy.prof /dev/stdout /dev/stderr /dev/null /etc/certs/cert-chain.pem
    /etc/certs/key.pem /etc/certs/root-cert.pem /var/run/secrets/istio/root-cert.pem
    ./var/run/secrets/istio/root-cert.pem ./var/run/secrets/tokens/istio-token
    /var/run/secrets/tokens/istio-token /etc/ssl/certs/ca-certificates.crt
    /var/run/secrets/kubernetes.io/serviceaccount
  `),
  ...words(`
    request.auth.claims request.auth.principal request.auth.audiences request.auth.presenter request.headers
    request.path request.host request.method source.principal source.namespace source.ip source.user
    source.labels source.uid source.name source.workload.name source.workload.namespace destination.ip
    destination.port destination.user destination.labels destination.uid destination.name destination.namespace
    destination.service destination.service.host destination.service.name destination.service.namespace
    destination.service.uid connection.sni context.proxy_version context.reporter.kind context.reporter.local
    context.reporter.uid istio.authorization.dry_run.allow_policy.name
    istio.authorization.dry_run.allow_policy.result istio.authorization.dry_run.deny_policy.name
    istio.authorization.dry_run.deny_policy.result
  `),
  ...words("misc:error /api/v2/spans overload.global_downstream_max_connections"),
  "%Y-%m-%dT%T.%fZ\t%l\tenvoy %n %g:%#\t%v\tthread=%t",
  "global config",
  "istio-system/istio-ingressgateway",
];

/** What the rest of such counters consists of as begin with `upstream_`, `membership_` and the like. */
export const statisticParts = words(`
  upstream downstream membership lb ssl assignment update version text no rebuild or cx rq total active none
  healthy degraded excluded overflow pending panic connect fail failure success rejected attempt time duration
  empty timeout retry bytes sent received buffered max min limit open close opened closed destroy local remote
  with without http1 http2 http3 tls reset completed canceled cancelled length ms 1xx 2xx 3xx 4xx 5xx xx rx tx
  dry run shadow effective engine result id ext authz bucket sum count created seconds milliseconds cpu memory
  heap threads gc info
`);

/** Keys of one host in the text form of `/clusters`; they stand between double colons. */
export const clustersKeys = words("hostname weight region zone priority canary outlier");

/** Labels and annotations that are the same in every cluster: short ones, and names after a domain of Kubernetes. */
export const labelKeys = words(`
  app version istio release chart heritage component tier name k8s-app pod-template-hash
  controller-revision-hash pod-template-generation job-name controller-uid
`);
export const labelNames = words(`
    name instance version component part-of managed-by created-by hostname region zone os arch instance-type
    service-name ingress.class service-account.name service-account.uid metadata.name pod-name pod-index
    last-applied-configuration restartedAt default-container default-logs-container psp path port scheme scrape
    rev gateway-name gatewayclass-name policy revision change-cause kind
  `);

/** Domains of the projects themselves, of API groups, labels and annotations, and of the registries of their images. */
export const domains = words(`
  istio.io kubernetes.io k8s.io x-k8s.io prometheus.io envoyproxy.io helm.sh knative.dev openshift.io maistra.io
  type.googleapis.com docker.io gcr.io quay.io ghcr.io
`);

/** Beginnings of dotted names that are Envoy's, Istio's or of the protos they build on, as of filters and types. */
export const roots = words("envoy. istio. io.istio. xds. udpa. google.protobuf. google.rpc.");
export const rootParts = words(`
  io filters filter network listeners listener http tcp udp access_loggers access_loggers file stdout tls
  cert_validator spiffe retry_host_predicates retry_priorities transport_sockets upstreams protocols generic
  bootstrap wasm runtime v8 null clusters tracers resource_monitors lb canary matching inputs actions common
  typed format_string path uri_template string grpc googleapis protobuf rpc Any Struct Value ListValue
  StringValue BoolValue UInt32Value UInt64Value Int32Value Int64Value DoubleValue BytesValue Duration Timestamp
  Empty FieldMask FilterConfig Config cors fault router buffer gzip lua squash rate_limit ext_authz health_check
  ip_tagging dynamo rbac jwt_authn grpc_web grpc_http1_bridge grpc_json_transcoder tcp_proxy
  http_connection_manager mongo_proxy mysql_proxy redis_proxy thrift_proxy dubbo_proxy client_ssl_auth echo
  ratelimit sni_cluster original_dst original_src proxy_protocol tls_inspector http_inspector
  http_grpc_access_log file_access_log tcp_grpc_access_log internal_listener previous_hosts omit_canary_hosts
  omit_host_metadata alpn metadataexchange metadata_exchange stats access_log stackdriver attributegen mesh_id
  namespace canonical_service canonical_revision cluster_id peer_principal local_principal workload_discovery
  downstream_peer upstream_peer transport_socket_match restart_features reloadable_features internal authn Authn
  mixer original_dst_host jwt tracing telemetry security networking type v1alpha1 v1alpha3 v1beta1 v1 lightstep
  datadog zipkin dynamic_ot xray PluginConfig
`);

/** Words of the sentences that Envoy, Istiod, kubectl and we write; kept only where they stand alone in a sentence. */
export const prose = words(`
    a about above accept accepted access active add added adding address addresses admin after again all
    allowed already also an and another answer answered any api application are argument as ask asked at
    attached attempt authenticate authentication authorization available back bad be because been before
    begin being below between bind bootstrap both but by bytes call called calling came cannot capture captured
    certificate certificates chain chains change changed check client closed cluster clusters code
    command complete config configuration configured conflict connect connected connecting connection
    connections contain container contains context control could create created creating critical
    current cut data deadline debug default defined delayed denied describe destination detected did
    different disconnect discovery dns does domain domains done down draining drop dropped due dump
    duplicate duplicated during dynamic each early either else empty enabled end ended endpoint
    endpoints entry envoy error errors every exceeded exec existing exit exited expected expired
    external failed failing failure fatal fetch field file filter filters first for forbidden format
    found from full gateway get give given got had handle handshake has have header headers health
    healthy host hosts id if ignored in inbound includes incorrect info initial initialization
    initialize initialized initializing inline inserted instance into invalid is issue istio istiod it
    its json key kubectl kubernetes large larger last left length less limit line list listener
    listeners listening live load loaded loading local log lookup lost machine made management many mask
    match matched matches matching max-dump-size maximum may memory mesh message metadata method might minimum
    misconfigured missing mode more multiple must name named names namespace namespaces network never
    new next no node nodes none not nothing number object of off old on once one only open or original
    other out outbound over own page parse parsed parsing part partial parts path peer pending per
    permission piece pod pods policy port ports prefix present problem process protocol provide provided
    proxies proxy push pushed query range read readiness ready reason received reconnect redirect
    refused regex registry reject rejected rejecting rejection remaining remote removed removing replica
    request requests required reset resource resources response responses restarted result retry
    retrying returned root route router routes row rule rules running runtime same second seconds secret
    secrets section sections see seen send sending sent server service services set several should side
    sidecar since size skipped slice slices so socket some specified stale start started starting state
    statement static status still stop stopped store stream streamed string subset such supported sync
    synced syntaxerror take taken target targets terminated terminating than that the their them then
    there they this those time timed timeout times to token too trace trailing transport tried try
    tunnel two type types unable unavailable unexpected unhealthy unique unknown unnamed unreachable
    unreadable unsuccessful unsupported until up update updated updates updating upstream url use used
    using validate validation value values verify version via virtual volume wait waiting warming warn
    warning was watch web webhook were when where which while whole will with within without worker
    works write writing wrong yaml yet you your zone
`);

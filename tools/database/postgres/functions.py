"""Functions and catalogues of PostgreSQL that a statement may name: what is not listed is refused.

Listed by the chapters of the manual (9, Functions and Operators) up to PostgreSQL 18. Left out are those that
read by a text (`query_to_xml`, `ts_stat`, `ts_rewrite`), reach files, settings, other sessions, locks or
large objects, wait, write, or exist for the server's own use. Standard library only.
"""

_MATH = """
abs acos acosd acosh asin asind asinh atan atan2 atan2d atand atanh cbrt ceil ceiling cos cosd cosh cot cotd
degrees div erf erfc exp factorial floor gamma gcd lcm lgamma ln log log10 min_scale mod pi pow power radians
random random_normal round scale sign sin sind sinh sqrt tan tand tanh trim_scale trunc width_bucket
"""
_TEXT = """
ascii bit_count bit_length btrim casefold char_length character_length chr concat concat_ws convert
convert_from convert_to crc32 crc32c decode encode format get_bit get_byte initcap is_normalized left length
like like_escape lower lpad ltrim md5 normalize notlike octet_length overlay parse_ident pg_client_encoding
position quote_ident quote_literal quote_nullable regexp_count regexp_instr regexp_like regexp_match
regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table regexp_substr repeat replace reverse
right rpad rtrim set_bit set_byte sha224 sha256 sha384 sha512 similar_escape similar_to_escape split_part
starts_with string_to_array string_to_table strpos substr substring text textcat to_ascii to_bin to_hex to_oct
translate unicode_assigned unicode_version icu_unicode_version unistr upper bytea
"""
_TIME = """
age clock_timestamp date date_add date_bin date_part date_subtract date_trunc extract interval isfinite
justify_days justify_hours justify_interval make_date make_interval make_time make_timestamp make_timestamptz
now overlaps statement_timestamp time timeofday timestamp timestamptz timetz timezone to_char to_date
to_number to_timestamp transaction_timestamp
"""
_AGGREGATES = """
any_value array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count covar_pop covar_samp cume_dist
dense_rank every first_value json_agg json_agg_strict json_arrayagg json_object_agg json_object_agg_strict
json_object_agg_unique json_object_agg_unique_strict json_objectagg jsonb_agg jsonb_agg_strict
jsonb_object_agg jsonb_object_agg_strict jsonb_object_agg_unique jsonb_object_agg_unique_strict lag last_value
lead max min mode nth_value ntile percent_rank percentile_cont percentile_disc range_agg range_intersect_agg
rank regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy row_number
stddev stddev_pop stddev_samp string_agg sum var_pop var_samp variance xmlagg
"""
_JSON = """
array_to_json json json_array json_array_element json_array_element_text json_array_elements
json_array_elements_text json_array_length json_build_array json_build_object json_each json_each_text
json_exists json_extract_path json_extract_path_text json_object json_object_field json_object_field_text
json_object_keys json_populate_record json_populate_recordset json_query json_scalar json_serialize
json_strip_nulls json_table json_to_record json_to_recordset json_to_tsvector json_typeof json_value jsonb
jsonb_array_element jsonb_array_element_text jsonb_array_elements jsonb_array_elements_text
jsonb_array_length jsonb_build_array jsonb_build_object jsonb_concat jsonb_contains jsonb_delete
jsonb_delete_path jsonb_each jsonb_each_text jsonb_exists jsonb_exists_all jsonb_exists_any jsonb_extract_path
jsonb_extract_path_text jsonb_insert jsonb_object jsonb_object_field jsonb_object_field_text jsonb_object_keys
jsonb_path_exists jsonb_path_exists_tz jsonb_path_match jsonb_path_match_tz jsonb_path_query
jsonb_path_query_array jsonb_path_query_array_tz jsonb_path_query_first jsonb_path_query_first_tz
jsonb_path_query_tz jsonb_populate_record jsonb_populate_recordset jsonb_populate_record_valid jsonb_pretty
jsonb_set jsonb_set_lax jsonb_strip_nulls jsonb_to_record jsonb_to_recordset jsonb_to_tsvector jsonb_typeof
row_to_json to_json to_jsonb
"""
_ARRAYS = """
array_append array_cat array_dims array_fill array_length array_lower array_ndims array_position
array_positions array_prepend array_remove array_replace array_reverse array_sample array_shuffle array_sort
array_to_string array_upper cardinality generate_series generate_subscripts trim_array unnest num_nonnulls
num_nulls
"""
_RANGES = """
datemultirange daterange int4multirange int4range int8multirange int8range isempty lower_inc lower_inf
multirange nummultirange numrange range_merge tsmultirange tsrange tstzmultirange tstzrange upper_inc
upper_inf
"""
_SEARCH = """
array_to_tsvector get_current_ts_config numnode phraseto_tsquery plainto_tsquery querytree setweight strip
to_tsquery to_tsvector ts_debug ts_delete ts_filter ts_headline ts_lexize ts_match_vq ts_rank ts_rank_cd
tsquery_phrase tsvector_to_array websearch_to_tsquery
"""
_SHAPES = """
area bound_box box broadcast center circle diagonal diameter height host hostmask inet_merge inet_same_family
isclosed ishorizontal isopen isparallel isperp isvertical line lseg macaddr8 macaddr8_set7bit masklen netmask
network npoints path pclose point polygon popen radius set_masklen slope width abbrev family cidr
"""
_REST = """
bit bool bpchar cash_words char enum_first enum_last enum_range float4 float8 gen_random_uuid int2 int4 int8
money name numeric oid pg_typeof uuid_extract_timestamp uuid_extract_version uuidv4 uuidv7 varbit varchar xml
xml_is_well_formed xml_is_well_formed_content xml_is_well_formed_document xmlcomment xmlconcat xmlelement
xmlexists xmlforest xmlparse xmlpi xmlroot xmlserialize xmltable xmltext xpath xpath_exists
current_database current_schema current_schemas current_user session_user version pg_size_pretty pg_size_bytes
pg_column_size pg_lsn pg_wal_lsn_diff pg_input_is_valid pg_input_error_info hashtext hashtextextended
"""
FUNCTIONS = frozenset(
    "".join((_MATH, _TEXT, _TIME, _AGGREGATES, _JSON, _ARRAYS, _RANGES, _SEARCH, _SHAPES, _REST)).split()
)
"""May be called also under a policy: each computes from its arguments."""
_CATALOGUE_WORDS = """
aclexplode col_description format_type getdatabaseencoding has_any_column_privilege has_column_privilege
has_database_privilege has_function_privilege has_schema_privilege has_sequence_privilege has_table_privilege
has_type_privilege inet_client_addr inet_server_addr inet_server_port obj_description oidvectortypes
pg_backend_pid pg_char_to_encoding pg_collation_for pg_collation_is_visible pg_database_size
pg_encoding_to_char pg_function_is_visible pg_get_constraintdef pg_get_expr pg_get_function_arguments
pg_get_function_identity_arguments pg_get_function_result pg_get_functiondef pg_get_indexdef pg_get_keywords
pg_get_partition_constraintdef pg_get_partkeydef pg_get_ruledef pg_get_serial_sequence pg_get_triggerdef
pg_get_userbyid pg_get_viewdef pg_has_role pg_index_column_has_property pg_index_has_property
pg_indexes_size pg_is_in_recovery pg_opclass_is_visible pg_operator_is_visible pg_partition_ancestors
pg_partition_root pg_partition_tree pg_postmaster_start_time pg_relation_is_updatable pg_relation_size
pg_table_is_visible pg_table_size pg_timezone_abbrevs pg_timezone_names pg_total_relation_size
pg_type_is_visible shobj_description to_regclass to_regnamespace to_regproc to_regprocedure to_regrole
to_regtype row_security_active
"""
CATALOGUE_FUNCTIONS = frozenset(_CATALOGUE_WORDS.split())
"""May be called without a policy only: each tells names, definitions or sizes of any object."""
_CATALOGUE_RELATIONS = """
pg_aggregate pg_am pg_amop pg_amproc pg_attrdef pg_attribute pg_available_extensions pg_cast pg_class
pg_collation pg_constraint pg_conversion pg_database pg_depend pg_description pg_enum pg_extension pg_index
pg_indexes pg_inherits pg_language pg_matviews pg_namespace pg_opclass pg_operator pg_opfamily
pg_partitioned_table pg_policies pg_policy pg_proc pg_publication pg_publication_tables pg_range pg_rewrite
pg_roles pg_rules pg_sequence pg_sequences pg_shdescription pg_stat_all_indexes pg_stat_all_tables
pg_stat_user_indexes pg_stat_user_tables pg_statio_user_tables pg_statistic_ext pg_stats pg_stats_ext
pg_tables pg_tablespace pg_timezone_abbrevs pg_timezone_names pg_trigger pg_ts_config pg_ts_config_map
pg_ts_dict pg_ts_parser pg_ts_template pg_type pg_user pg_views
"""
CATALOGUE_RELATIONS = frozenset(_CATALOGUE_RELATIONS.split())
"""Relations of pg_catalog that may be read without a policy: structure, statistics that the engine
filters."""
_BY_TEXT_WORDS = """
query_to_xml query_to_xmlschema query_to_xml_and_xmlschema cursor_to_xml cursor_to_xmlschema table_to_xml
table_to_xmlschema table_to_xml_and_xmlschema schema_to_xml schema_to_xmlschema schema_to_xml_and_xmlschema
database_to_xml database_to_xmlschema database_to_xml_and_xmlschema ts_stat ts_rewrite pg_read_file
pg_read_binary_file pg_ls_dir pg_stat_file lo_get loread
"""
BY_TEXT = frozenset(_BY_TEXT_WORDS.split())
"""Functions of the server that read what a text names: under a policy no view that calls one is read."""
